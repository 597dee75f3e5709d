using System.Globalization;

namespace Cloister.Serving.TensorFlow.Configuration;

internal enum FlagKind
{
    Text,
    Whole,
    Real,
    Switch,
}

/// <summary>One flag of tensorflow_model_server.</summary>
/// <param name="Name">Its name, without dashes.</param>
/// <param name="Kind">What it takes.</param>
/// <param name="Default">What holds where it is not given.</param>
/// <param name="Meaning">What it does here, or why nothing.</param>
internal sealed record ModelServerFlag(string Name, FlagKind Kind, string Default, string Meaning)
{
    /// <summary>Whether it changes anything here.</summary>
    public bool IsFollowed { get; init; } = true;

    /// <summary>The range of a whole number.</summary>
    public (long From, long To) Range { get; init; } = (int.MinValue, int.MaxValue);

    /// <summary>What is wrong with a value; null if nothing is.</summary>
    public string? Problem(string value) => Kind switch
    {
        FlagKind.Whole when !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) || number < Range.From || number > Range.To
            => $"--{Name} wants a whole number from {Range.From} to {Range.To}, not '{value}'.",
        FlagKind.Real when !double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) => $"--{Name} wants a number, not '{value}'.",
        FlagKind.Switch when Switch(value) is null => $"--{Name} wants true or false, not '{value}'.",
        _ => null,
    };

    /// <summary>Reads a switch; null if it is none.</summary>
    public static bool? Switch(string value) => value.ToUpperInvariant() switch { "TRUE" or "1" => true, "FALSE" or "0" => false, _ => null };
}
