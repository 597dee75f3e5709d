namespace Cloister.Client;

/// <summary>A named tensor of the Open Inference Protocol: its values in row-major order, one of three kinds of .NET values for all data types.</summary>
public sealed record InferTensor
{
    private InferTensor(string name, string datatype, IReadOnlyList<long> shape) => (Name, Datatype, Shape) = (name, datatype, shape);

    /// <summary>The tensor's name in the model.</summary>
    public string Name { get; }

    /// <summary>The protocol's data type: FP32, INT64, BYTES, ...</summary>
    public string Datatype { get; }

    /// <summary>Its dimensions; their product is the number of values.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The values of FP16, FP32 and FP64.</summary>
    public ReadOnlyMemory<double> Numbers { get; private init; }

    /// <summary>The values of BOOL (0 or 1), INT8 to INT64 and UINT8 to UINT32.</summary>
    public ReadOnlyMemory<long> Integers { get; private init; }

    /// <summary>The values of BYTES, as the text that stands in JSON (base64 for bytes that are no text).</summary>
    public IReadOnlyList<string> Texts { get; private init; } = [];

    /// <summary>A tensor of FP32.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the values, or one of them is not finite: JSON has no sign for it.</exception>
    public static InferTensor Floats(string name, IReadOnlyList<long> shape, ReadOnlySpan<float> values)
    {
        RequireShape(shape, values.Length);
        var numbers = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
            numbers[i] = float.IsFinite(values[i]) ? values[i] : throw new ArgumentException($"Value {i} is not finite.", nameof(values));
        return new(name, "FP32", shape) { Numbers = numbers };
    }

    /// <summary>A tensor of INT64.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the values.</exception>
    public static InferTensor Int64s(string name, IReadOnlyList<long> shape, ReadOnlySpan<long> values)
    {
        RequireShape(shape, values.Length);
        return new(name, "INT64", shape) { Integers = values.ToArray() };
    }

    /// <summary>A tensor of BYTES with one element: a picture's file content, which the served model decodes and preprocesses itself.</summary>
    public static InferTensor Picture(string name, ReadOnlySpan<byte> file) =>
        new(name, "BYTES", [1]) { Texts = [Convert.ToBase64String(file)] };

    /// <summary>A tensor that was read from an answer.</summary>
    internal static InferTensor Read(string name, string datatype, IReadOnlyList<long> shape, double[]? numbers, long[]? integers, string[]? texts) =>
        new(name, datatype, shape) { Numbers = numbers, Integers = integers, Texts = texts ?? [] };

    /// <summary>The number of values a shape has, or -1 if it is no shape.</summary>
    internal static long Count(IReadOnlyList<long> shape)
    {
        long count = 1;
        foreach (long dimension in shape)
        {
            if (dimension < 0 || (dimension > 0 && count > long.MaxValue / dimension))
                return -1;
            count *= dimension;
        }
        return count;
    }

    private static void RequireShape(IReadOnlyList<long> shape, int values)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (Count(shape) != values)
            throw new ArgumentException($"The shape [{string.Join(", ", shape)}] does not hold {values} values.", nameof(shape));
    }
}

/// <summary>The answer to an inference.</summary>
/// <param name="ModelName">The model that answered.</param>
/// <param name="ModelVersion">Its version, or empty.</param>
/// <param name="Outputs">Its outputs.</param>
public sealed record InferAnswer(string ModelName, string ModelVersion, IReadOnlyList<InferTensor> Outputs);

/// <summary>One class of a classification.</summary>
/// <param name="Score">The model's score for it.</param>
/// <param name="Index">Its index in the output; -1 where the server names the class and does not number it (a model in parts).</param>
/// <param name="Text">Its label; empty if the model has none.</param>
public sealed record PredictedLabel(double Score, int Index, string Text);

/// <summary>What a model says of its inputs and outputs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Platform">The engine that runs it.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs.</param>
public sealed record ModelDescription(string Name, string Platform, IReadOnlyList<TensorDescription> Inputs, IReadOnlyList<TensorDescription> Outputs);

/// <summary>One input or output of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">The protocol's data type.</param>
/// <param name="Shape">Its dimensions; -1 is free.</param>
public sealed record TensorDescription(string Name, string Datatype, IReadOnlyList<long> Shape);
