namespace Cloister.Serving.OpenInference;

/// <summary>What a parameter's value is.</summary>
internal enum ParameterKind
{
    Boolean,
    Integer,
    Number,
    Text,
}

/// <summary>The value of one parameter: the protocol's <c>$parameter</c> in JSON, <c>InferParameter</c> in gRPC.</summary>
internal readonly record struct ParameterValue
{
    private readonly Int128 _integer;
    private readonly double _number;

    private ParameterValue(ParameterKind kind, Int128 integer = default, double number = 0, string text = "") => (Kind, _integer, _number, Text) = (kind, integer, number, text);

    public ParameterKind Kind { get; }

    /// <summary>Its text; empty unless it is one.</summary>
    public string Text { get; }

    public static ParameterValue Of(bool value) => new(ParameterKind.Boolean, value ? 1 : 0);

    public static ParameterValue Of(long value) => new(ParameterKind.Integer, value);

    public static ParameterValue Of(ulong value) => new(ParameterKind.Integer, value);

    public static ParameterValue Of(double value) => new(ParameterKind.Number, 0, value);

    public static ParameterValue Of(string value) => new(ParameterKind.Text, 0, 0, value);

    /// <summary>It as true or false.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.InvalidRequest"/>.</exception>
    public bool Boolean(string name) => Kind == ParameterKind.Boolean
        ? _integer != 0
        : throw new ServingException(ServingError.InvalidRequest, $"Parameter '{name}' must be true or false.");

    /// <summary>It as a whole number within a range.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.InvalidRequest"/>.</exception>
    public long Integer(string name, long minimum, long maximum) => Kind == ParameterKind.Integer && _integer >= minimum && _integer <= maximum
        ? (long)_integer
        : throw new ServingException(ServingError.InvalidRequest, $"Parameter '{name}' must be a whole number from {minimum} to {maximum}.");

    /// <summary>Whether it says nothing: false, 0 or an empty text.</summary>
    public bool IsDefault => Kind == ParameterKind.Text ? Text.Length == 0 : _integer == 0 && _number == 0;
}
