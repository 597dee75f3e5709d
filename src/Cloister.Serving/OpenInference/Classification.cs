using System.Numerics;
using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// The classification extension: instead of a tensor, the best classes of each item as texts <c>value:index</c> or
/// <c>value:index:label</c>, best first; of equal values the lower index is better, and NaN is never better.
/// </summary>
internal static class Classification
{
    private const int MaximumTexts = 1_000_000;

    /// <summary>A tensor of texts: [count] for an output of one dimension, else [items, count].</summary>
    /// <exception cref="ServingException">The output has no numbers to compare, or the size of such an answer would tell the classes where it must not.</exception>
    public static Tensor Answer(Tensor output, string name, int count, ServedModel model) => model.Engine.AnswersInOneSize
        ? throw new ServingException(ServingError.ParameterRefused,
            $"Parameter 'classification' is refused: the length of its texts would tell the classes of model '{model.Name}' to whoever sees the connection; its outputs are {string.Join(", ", model.Engine.Outputs.Select(known => known.Name))}.")
        : Of(output, name, count, model.Labels);

    /// <summary>As <see cref="Answer"/>, with the labels at hand.</summary>
    /// <exception cref="ServingException">The output has no numbers to compare.</exception>
    public static Tensor Of(Tensor output, string name, int count, ModelLabels? labels) => output.Type switch
    {
        TensorElementType.Float => Best(output, output.Elements<float>(), count, labels, (value, text) => FloatFormatter.Write(value, text, FloatStyle.Shortest)),
        TensorElementType.Double => Best(output, output.Elements<double>(), count, labels, (value, text) => DoubleFormatter.Write(value, text, FloatStyle.Shortest)),
        TensorElementType.Float16 => Best(output, output.Elements<Half>(), count, labels, (value, text) => FloatFormatter.Write((float)value, text, FloatStyle.Shortest)),
        TensorElementType.BFloat16 => Best(output, Widen(output.Elements<BFloat16>()), count, labels, (value, text) => FloatFormatter.Write(value, text, FloatStyle.Shortest)),
        TensorElementType.Int8 => Best(output, output.Elements<sbyte>(), count, labels, Whole),
        TensorElementType.Int16 => Best(output, output.Elements<short>(), count, labels, Whole),
        TensorElementType.Int32 => Best(output, output.Elements<int>(), count, labels, Whole),
        TensorElementType.Int64 => Best(output, output.Elements<long>(), count, labels, Whole),
        TensorElementType.UInt8 => Best(output, output.Elements<byte>(), count, labels, Whole),
        TensorElementType.UInt16 => Best(output, output.Elements<ushort>(), count, labels, Whole),
        TensorElementType.UInt32 => Best(output, output.Elements<uint>(), count, labels, Whole),
        TensorElementType.UInt64 => Best(output, output.Elements<ulong>(), count, labels, Whole),
        _ => throw new ServingException(ServingError.WrongType, $"Output '{name}' has no numbers to classify by; ask for it without 'classification'."),
    };

    private delegate int Print<T>(T value, Span<byte> text);

    private static Tensor Best<T>(Tensor output, ReadOnlySpan<T> values, int count, ModelLabels? labels, Print<T> print)
        where T : unmanaged, INumber<T>
    {
        bool single = output.Shape.Length < 2;
        int items = single ? 1 : (int)output.Shape[0];
        int classes = items == 0 ? 0 : values.Length / items;
        count = Math.Min(count, classes);
        if ((long)items * count > MaximumTexts)
            throw new ServingException(ServingError.WrongShape, $"The {count} best classes of {items} items are more than the {MaximumTexts} texts that an answer holds; ask for fewer.");
        var texts = new string[items * count];
        Span<byte> number = stackalloc byte[DoubleFormatter.MaximumLength];
        var heap = new PriorityQueue<int, (T Value, int Index)>(Comparer<(T Value, int Index)>.Create(WorstFirst));
        for (int item = 0; item < items; item++)
        {
            ReadOnlySpan<T> row = values.Slice(item * classes, classes);
            for (int index = 0; index < row.Length; index++)
            {
                if (heap.Count < count) heap.Enqueue(index, (row[index], index));
                else if (count > 0) heap.EnqueueDequeue(index, (row[index], index));
            }
            for (int place = count - 1; place >= 0; place--)
            {
                int index = heap.Dequeue();
                string value = Encoding.ASCII.GetString(number[..print(row[index], number)]);
                texts[item * count + place] = labels?[index] is { } label ? $"{value}:{index}:{label}" : $"{value}:{index}";
            }
        }
        return single ? Tensor.FromTexts(texts, count) : Tensor.FromTexts(texts, items, count);
    }

    private static ReadOnlySpan<float> Widen(ReadOnlySpan<BFloat16> values)
    {
        var wide = new float[values.Length];
        for (int i = 0; i < wide.Length; i++) wide[i] = values[i].ToSingle();
        return wide;
    }

    private static int WorstFirst<T>((T Value, int Index) left, (T Value, int Index) right) where T : INumber<T>
    {
        if (T.IsNaN(left.Value) != T.IsNaN(right.Value)) return T.IsNaN(left.Value) ? -1 : 1;
        if (left.Value < right.Value) return -1;
        if (left.Value > right.Value) return 1;
        return right.Index.CompareTo(left.Index);
    }

    private static int Whole<T>(T value, Span<byte> text) where T : IUtf8SpanFormattable =>
        value.TryFormat(text, out int length, default, System.Globalization.CultureInfo.InvariantCulture) ? length : 0;
}
