using System.Text;
using System.Text.Unicode;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// One input as a request announces it, checked against the model before any memory is taken. REST and gRPC read the values
/// differently; what they may be is decided here.
/// </summary>
internal sealed class AnnouncedInput
{
    private readonly PictureInput? _picture;

    private AnnouncedInput(int index, string name, TensorElementType type, long[] shape, long elements, PictureInput? picture) =>
        (Index, Name, Type, Shape, Elements, _picture) = (index, name, type, shape, elements, picture);

    /// <summary>Which of the model's inputs.</summary>
    public int Index { get; }

    public string Name { get; }

    /// <summary>The type that was announced: that of the model's input, or texts where the input takes pictures.</summary>
    public TensorElementType Type { get; }

    public long[] Shape { get; }

    /// <summary>The number of elements of <see cref="Shape"/>.</summary>
    public long Elements { get; }

    /// <summary>Whether the elements are picture files for an input that takes pictures.</summary>
    public bool IsPicture => _picture is not null;

    /// <summary>The bytes that numbers take; null for BYTES, whose elements have lengths of their own.</summary>
    public long? ByteLength => Type == TensorElementType.String ? null : Type.ByteLength(Elements);

    /// <summary>Checks an input's description.</summary>
    /// <param name="model">The model that is asked.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="datatype">Its datatype, as the protocol names it.</param>
    /// <param name="shape">Its dimensions, none of them negative; kept.</param>
    /// <exception cref="ServingException">The model has no such input, or takes another datatype or shape.</exception>
    public static AnnouncedInput Of(ServedModel model, string name, string datatype, long[] shape)
    {
        int index = model.IndexOfInput(name);
        TensorInfo declared = model.Engine.Inputs[index];
        TensorElementType type = TensorTypes.FromOpenInference(datatype)
            ?? throw new ServingException(ServingError.WrongType, $"Input '{name}' has the unknown datatype '{datatype}'; the model takes {TensorTypes.OpenInference(declared.Type)}.");
        PictureInput? picture = model.Picture?.Index == index ? model.Picture : null;
        bool files = type == TensorElementType.String && picture is not null;
        if (!files && type != declared.Type)
            throw new ServingException(ServingError.WrongType,
                $"Input '{name}' takes {TensorTypes.OpenInference(declared.Type)}{(picture is null ? "" : " or, as PNG or JPEG pictures, BYTES")}, not {datatype}.");
        if (files ? shape.Length is not (1 or 2) || (shape.Length == 2 && shape[1] != 1) : declared.Mismatch(type, shape) is not null)
            throw new ServingException(ServingError.WrongShape,
                $"Input '{name}' takes shape {(files ? "[N] or [N,1] of BYTES" : TensorShapes.Text([.. declared.Shape]))}, not {TensorShapes.Text(shape)}.");
        // No element takes more than 16 bytes: what fits here has a size in bytes, too.
        if (TensorShapes.Elements(shape) is not { } elements || elements > long.MaxValue >> 4)
            throw new ServingException(ServingError.WrongShape, $"Input '{name}': no tensor has as many values as shape {TensorShapes.Text(shape)} wants.");
        return new AnnouncedInput(index, name, type, shape, elements, files ? picture : null);
    }

    /// <summary>Memory for the numbers, all zero; the caller fills <see cref="Tensor.Bytes"/>.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.TooLarge"/>.</exception>
    public Tensor Rent(TensorPool pool) => new(Type, Shape, pool.Rent(ByteLength!.Value));

    /// <summary>The tensor of numbers in little-endian order, copied once.</summary>
    /// <exception cref="ServingException">There are not as many bytes as the shape wants, or a BOOL is neither 0 nor 1.</exception>
    public Tensor ToTensor(ReadOnlySpan<byte> numbers, TensorPool pool)
    {
        if (numbers.Length != ByteLength) throw WrongSize(numbers.Length);
        Tensor tensor = Rent(pool);
        numbers.CopyTo(tensor.Bytes);
        Demand(tensor);
        return tensor;
    }

    /// <summary>The tensor of elements that came one by one: texts, or picture files.</summary>
    /// <exception cref="ServingException">There are not as many as the shape wants, one is no text that the engine can take, or no picture.</exception>
    public Tensor ToTensor(IReadOnlyList<byte[]> elements, TensorPool pool)
    {
        if (elements.Count != Elements)
            throw new ServingException(ServingError.WrongShape, $"Input '{Name}' has {elements.Count} values where shape {TensorShapes.Text(Shape)} wants {Elements}.");
        if (_picture is not null) return _picture.ToTensor(elements, pool);
        var texts = new string[elements.Count];
        for (int i = 0; i < texts.Length; i++) texts[i] = Text(elements[i], i);
        return Tensor.FromTexts(texts, Shape);
    }

    /// <summary>One element as a text: ONNX Runtime's strings are UTF-8 and end at a zero character.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.WrongType"/>.</exception>
    public string Text(ReadOnlySpan<byte> element, int index) => Utf8.IsValid(element) && !element.Contains((byte)0)
        ? Encoding.UTF8.GetString(element)
        : throw new ServingException(ServingError.WrongType, $"Input '{Name}': value {index} is not UTF-8 text without zero characters.");

    /// <summary>Checks what was written into a tensor of <see cref="Rent"/>.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.WrongType"/>; the tensor is disposed.</exception>
    public void Demand(Tensor tensor)
    {
        if (Type != TensorElementType.Bool || !tensor.Bytes.ContainsAnyExceptInRange((byte)0, (byte)1)) return;
        tensor.Dispose();
        throw new ServingException(ServingError.WrongType, $"Input '{Name}': a BOOL is one byte, 0 or 1.");
    }

    public ServingException WrongSize(long bytes) => new(ServingError.BinaryDataRefused,
        $"Input '{Name}' has {bytes} bytes of binary data where {TensorTypes.OpenInference(Type)} of shape {TensorShapes.Text(Shape)} takes {ByteLength}.");
}
