using Cloister.Onnx.Model;
using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Tokens;

/// <summary>A row of numbers a token, in which a prediction is looked up: the model's embeddings, or one place a token where these are not known.</summary>
internal sealed class TokenTable
{
    private const int BlockRows = 256;

    private readonly float[] _transposed, _halfSquares;

    private TokenTable(int tokens, int width, float[] rows, bool known)
    {
        (Tokens, Width, Rows, IsKnown) = (tokens, width, rows, known);
        _transposed = new float[rows.Length];
        _halfSquares = new float[tokens];
        for (int token = 0; token < tokens; token++)
            for (int i = 0; i < width; i++)
            {
                float value = rows[token * width + i];
                _transposed[i * tokens + token] = value;
                _halfSquares[token] += value * value / 2;
            }
    }

    public int Tokens { get; }

    public int Width { get; }

    public float[] Rows { get; }

    /// <summary>Whether these are the model's embeddings.</summary>
    public bool IsKnown { get; }

    public ReadOnlySpan<float> this[int token] => Rows.AsSpan(token * Width, Width);

    /// <summary>Finds the model's embeddings; where there are none, or they are secret, every token has a place of its own.</summary>
    public static TokenTable Of(ModelProto model, string input, TokenSettings settings)
    {
        if (settings.TableIsPublic && Embeddings(model.Graph, input) is { } embeddings)
        {
            float[] rows = embeddings.ToFloats();
            if (rows.Length > 0 && Array.TrueForAll(rows, float.IsFinite))
                return new TokenTable((int)embeddings.Dims[0], (int)embeddings.Dims[1], rows, known: true);
        }
        int tokens = Math.Min(settings.Vocabulary, TokenSettings.MaximumUnknownTokens);
        if (tokens < 2)
            throw new PartitioningException(PartitioningError.CutRefused, "The model's embedding table is not known: say how many tokens the vocabulary has.");
        float[] places = new float[tokens * tokens];
        for (int token = 0; token < tokens; token++)
            places[token * tokens + token] = 1;
        return new TokenTable(tokens, tokens, places, known: false);
    }

    /// <summary>For each predicted row the token whose own row is nearest.</summary>
    public int[] Nearest(Memory<float> predicted, int rows, MatrixProduct product)
    {
        int[] nearest = new int[rows];
        float[] products = new float[Math.Min(BlockRows, rows) * Tokens];
        for (int start = 0; start < rows; start += BlockRows)
        {
            int count = Math.Min(BlockRows, rows - start);
            product.Multiply(predicted.Slice(start * Width, count * Width), _transposed, products.AsMemory(0, count * Tokens), count, Width, Tokens);
            for (int row = 0; row < count; row++)
            {
                // |p - e|^2 is least where p * e - |e|^2 / 2 is largest.
                ReadOnlySpan<float> own = products.AsSpan(row * Tokens, Tokens);
                float best = float.NegativeInfinity;
                for (int token = 0; token < Tokens; token++)
                    if (own[token] - _halfSquares[token] > best)
                        (best, nearest[start + row]) = (own[token] - _halfSquares[token], token);
            }
        }
        return nearest;
    }

    // The table that the token ids, perhaps moved about, are looked up in.
    private static TensorProto? Embeddings(GraphProto graph, string input)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal) { input };
        foreach (NodeProto node in graph.Nodes)
            if (node.OpType is "Cast" or "Identity" or "Reshape" or "Squeeze" or "Unsqueeze" && node.Inputs.Length > 0 && ids.Contains(node.Inputs[0]))
                ids.UnionWith(node.Outputs);
            else if (node.OpType == "Gather" && node.Inputs is [var data, var indices] && ids.Contains(indices)
                && graph.Initializers.FirstOrDefault(initializer => initializer.Name == data) is { Dims.Length: 2, DataType: TensorDataType.Float, IsExternal: false } table
                && node.Attributes.FirstOrDefault(attribute => attribute.Name == "axis")?.Int is null or 0)
                return table;
        return null;
    }
}
