using System.Runtime.InteropServices;
using System.Text;
using Cloister.Serving.Repository;

namespace Cloister.Serving.Partitioned;

/// <summary>
/// The names of a model's classes, all of one length, filled up with spaces. Reading one reads all of them, so that no address depends on the class
/// (docs/decisions/0170-the-class-stays-out-of-time-and-size.md).
/// </summary>
internal sealed class ObliviousLabels
{
    /// <summary>The longest label, in bytes.</summary>
    public const int MaximumLength = 1024;

    private const long MaximumBytes = 64 << 20;

    private readonly ulong[] _words;
    private readonly int _width;

    /// <summary>Takes the labels over.</summary>
    /// <param name="labels">What the maker sealed; a class without a name is called by its number.</param>
    /// <param name="classes">How many classes the model has.</param>
    /// <exception cref="ServingException"><see cref="ServingError.LabelsRefused"/>: there are not so many, or the bytes of one would say which it is.</exception>
    public ObliviousLabels(ModelLabels labels, int classes)
    {
        if (labels.Count != classes) throw Refused($"it has {labels.Count} lines, and the model {classes} classes");
        Count = classes;
        for (int i = 0; i < classes; i++) Length = Math.Max(Length, Demand(labels, i).Length);
        _width = (Length + sizeof(ulong) - 1) / sizeof(ulong);
        if ((long)_width * sizeof(ulong) * classes > MaximumBytes) throw Refused($"all labels filled up to {Length} bytes are more than {MaximumBytes} bytes; shorten the longest");
        _words = new ulong[classes * _width];
        Span<byte> bytes = MemoryMarshal.AsBytes(_words.AsSpan());
        bytes.Fill((byte)' ');
        for (int i = 0; i < classes; i++) Encoding.ASCII.GetBytes(NameOf(labels, i), bytes[(i * _width * sizeof(ulong))..]);
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>The length of each, in bytes and in characters.</summary>
    public int Length { get; }

    /// <summary>Checks labels as a partitioned model's, whatever the number of its classes is.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.LabelsRefused"/>.</exception>
    public static void Demand(ModelLabels labels) => _ = new ObliviousLabels(labels, labels.Count);

    /// <summary>The label of a class, filled up with spaces.</summary>
    /// <param name="index">From 0 below <see cref="Count"/>; otherwise it is zero characters.</param>
    public string Read(int index)
    {
        Span<ulong> found = stackalloc ulong[MaximumLength / sizeof(ulong)];
        found = found[.._width];
        found.Clear();
        for (int label = 0; label < Count; label++) Accumulate(_words.AsSpan(label * _width, _width), found, MaskOf(label, index));
        return Encoding.Latin1.GetString(MemoryMarshal.AsBytes(found)[..Length]);
    }

    /// <summary>All ones where both are the same, else 0; neither is negative.</summary>
    internal static ulong MaskOf(int one, int other) => unchecked((ulong)((((long)one ^ other) - 1) >> 63));

    private static void Accumulate(ReadOnlySpan<ulong> label, Span<ulong> found, ulong mask)
    {
        for (int i = 0; i < found.Length; i++) found[i] |= label[i] & mask;
    }

    private static string NameOf(ModelLabels labels, int index) => labels[index] ?? index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    // Printable ASCII without what JSON escapes: one byte, one character, one character of JSON, on every surface and in the same time.
    private static string Demand(ModelLabels labels, int index)
    {
        string name = NameOf(labels, index);
        if (name.Length > MaximumLength) throw Refused($"line {index + 1} has more than {MaximumLength} characters");
        foreach (char symbol in name)
            if (symbol is < ' ' or > '~' or '"' or '\\')
                throw Refused($"line {index + 1} has the character U+{(int)symbol:X4}; labels of a partitioned model are printable ASCII without quote and backslash, so that every answer has the same size");
        return name;
    }

    private static ServingException Refused(string reason) => new(ServingError.LabelsRefused, $"{SealedModelLoader.LabelsEntry} is refused: {reason}.");
}
