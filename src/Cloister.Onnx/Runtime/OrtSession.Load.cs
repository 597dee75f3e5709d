using System.Runtime.InteropServices;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Runtime;

/// <content>Loading.</content>
public sealed unsafe partial class OrtSession
{
    /// <summary>
    /// Whether the session computes on the external weights where the caller put them. False where it took a copy, because an
    /// optimisation had to change them (<see cref="OrtSessionOptions.Level"/>), or where there are none large enough to matter.
    /// </summary>
    public bool WeightsInPlace { get; private init; }

    /// <summary>
    /// Loads a model from memory. The bytes are not needed after the call, and no file is read, whatever the model names.
    /// </summary>
    /// <param name="model">An ONNX model.</param>
    /// <param name="options">How it runs; the defaults if null.</param>
    /// <param name="weights">
    /// The model's external data, by the <c>location</c> that the model names; null or empty if it has none. Further entries are ignored.
    /// Weights over 64 KiB are used in place: the session keeps the buffers alive. With them, the folder for temporary files must be writable.
    /// </param>
    /// <exception cref="OnnxRuntimeException">The bytes are not a model that ONNX Runtime runs; the text is ONNX Runtime's.</exception>
    /// <exception cref="OnnxModelException">With <paramref name="weights"/>: the bytes are not a model, or its external data is not in them.</exception>
    /// <exception cref="OnnxRuntimeLibraryException">ONNX Runtime's library is missing or is not the pinned one.</exception>
    public static OrtSession FromMemory(
        ReadOnlyMemory<byte> model, OrtSessionOptions? options = null, IReadOnlyDictionary<string, ExternalWeights>? weights = null)
    {
        OnnxRuntimeLibrary library = OnnxRuntimeLibrary.Shared;
        options ??= new OrtSessionOptions();
        if (weights is not { Count: > 0 })
            return Wrap(library, Create(library, model.Span, options, null, inPlace: false), null, inPlace: false);

        return FromPlaced(library, PlacedWeights.Place(model, weights), options, options);
    }

    /// <summary>
    /// Loads a model from pinned memory, with its weights inside the model or outside. If the weights over 64 KiB that need no other
    /// layout are <paramref name="inPlaceFrom"/> bytes or more, the session computes on them where they lie, without prepacking; other
    /// large weights are copied. Otherwise ONNX Runtime copies and packs all of them. No file is read, whatever the model names.
    /// </summary>
    /// <param name="model">
    /// An ONNX model of up to 2 GiB. The session keeps the memory alive as long as it needs it; the caller disposes of it after the call and
    /// does not read it again: weights are moved to where they are aligned.
    /// </param>
    /// <param name="options">How it runs; the defaults if null.</param>
    /// <param name="weights">The model's external data, by the <c>location</c> that the model names; null or empty if it has none.</param>
    /// <param name="inPlaceFrom">How many bytes of weights are used in place; with less, packing is cheap and makes runs quicker.</param>
    /// <exception cref="OnnxRuntimeException">The bytes are not a model that ONNX Runtime runs; the text is ONNX Runtime's.</exception>
    /// <exception cref="OnnxModelException">The bytes are not a model, or its external data is not in <paramref name="weights"/>.</exception>
    /// <exception cref="OnnxRuntimeLibraryException">ONNX Runtime's library is missing or is not the pinned one.</exception>
    public static OrtSession FromPinned(
        PinnedBuffer model, OrtSessionOptions? options = null, IReadOnlyDictionary<string, ExternalWeights>? weights = null, long inPlaceFrom = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inPlaceFrom);
        if (model.Length > int.MaxValue)
            throw new OnnxModelException(OnnxModelError.TooLarge, "The model is larger than 2 GiB, which protobuf does not allow; move its weights to external data.");
        OnnxRuntimeLibrary library = OnnxRuntimeLibrary.Shared;
        options ??= new OrtSessionOptions();
        weights ??= new Dictionary<string, ExternalWeights>();
        // Less than that in all: nothing needs to be parsed to know it.
        bool mayPlace = model.Length + weights.Values.Sum(file => file.Buffer.Length) >= inPlaceFrom;
        if (mayPlace && PlacedModel.TryPlace(model, weights, inPlaceFrom) is { } placed)
            return FromPlaced(library, placed, options with { DisablePrepacking = true }, options);
        ReadOnlyMemory<byte> bytes = model.Memory(0, (int)model.Length);
        if (weights.Count == 0)
            return Wrap(library, Create(library, bytes.Span, options, null, inPlace: false), null, inPlace: false);
        PlacedWeights copied = PlacedWeights.Place(bytes, weights);
        return Wrap(library, CreateOrDispose(library, options, copied, inPlace: false), copied, inPlace: false);
    }

    private static OrtSession FromPlaced(OnnxRuntimeLibrary library, PlacedWeights placed, OrtSessionOptions lending, OrtSessionOptions copying)
    {
        nint session;
        bool inPlace = placed.AnyLent;
        try
        {
            session = Create(library, placed.Model, lending, placed, inPlace);
        }
        catch (OnnxRuntimeException) when (inPlace && lending.Level != GraphOptimization.None && !lending.RequireWeightsInPlace)
        {
            // Folding, fusing and laying out anew read a weight where it is lent from, an empty file, and fail: so they get a copy.
            inPlace = false;
            session = CreateOrDispose(library, copying, placed, inPlace);
        }
        catch
        {
            placed.Dispose();
            throw;
        }
        return Wrap(library, session, placed, inPlace);
    }

    private static nint CreateOrDispose(OnnxRuntimeLibrary library, OrtSessionOptions options, PlacedWeights placed, bool inPlace)
    {
        try
        {
            return Create(library, placed.Model, options, placed, inPlace);
        }
        catch
        {
            placed.Dispose();
            throw;
        }
    }

    /// <summary>For fuzzing: whatever the bytes are, they load or are refused by the documented exceptions.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        byte[] model = bytes.ToArray();
        using var file = PinnedBuffer.Allocate(256 << 10);
        foreach (var weights in new[] { null, new Dictionary<string, ExternalWeights> { ["w"] = new(file) } })
        {
            try
            {
                using OrtSession session = FromMemory(model, null, weights);
            }
            catch (OnnxRuntimeException)
            {
                // The documented refusal.
            }
            catch (OnnxModelException) when (weights is not null)
            {
                // With weights the model is read before ONNX Runtime gets it.
            }
        }
    }

    private static nint Create(OnnxRuntimeLibrary library, ReadOnlySpan<byte> model, OrtSessionOptions options, PlacedWeights? weights, bool inPlace)
    {
        // ONNX Runtime marks data that already lie in memory by this word and an address in place of an offset. It refuses the mark in
        // a model's initialisers and constants; here it is refused wherever else it might be believed.
        if (model.IndexOf("_ORT_MEM_ADDR_"u8) >= 0)
            throw new OnnxRuntimeException(OnnxRuntimeError.InvalidGraph, "The model names an address in memory as its external data.");

        OrtApi api = library.Api;
        using WeightsFolder folder = inPlace ? WeightsFolder.Create() : WeightsFolder.Absent();
        using OrtSessionOptionsHandle native = SessionOptionsWriter.Write(library, options, folder);
        if (inPlace)
            weights!.LendInPlace(api, native);
        else
            weights?.LendToCopy(api, native);
        nint session;
        fixed (byte* bytes = model)
            api.Check(api.CreateSessionFromArray(library.Env.Handle, bytes, (nuint)model.Length, native.Value, &session));
        return session;
    }

    private static OrtSession Wrap(OnnxRuntimeLibrary library, nint session, PlacedWeights? weights, bool inPlace)
    {
        OrtApi api = library.Api;
        weights?.ForgetModel();
        NativeStrings? inputNames = null, outputNames = null;
        try
        {
            nuint inputCount, outputCount;
            api.Check(api.SessionGetInputCount(session, &inputCount));
            api.Check(api.SessionGetOutputCount(session, &outputCount));
            TensorInfo[] inputs = new TensorInfo[(int)inputCount], outputs = new TensorInfo[(int)outputCount];
            for (nuint i = 0; i < inputCount; i++)
                inputs[i] = Describe(library, session, i, isInput: true);
            for (nuint i = 0; i < outputCount; i++)
                outputs[i] = Describe(library, session, i, isInput: false);
            inputNames = new([.. inputs.Select(info => info.Name)]);
            outputNames = new([.. outputs.Select(info => info.Name)]);
            OrtSessionHandle handle = new(session, inputNames, outputNames, weights);
            return new OrtSession(api, handle, inputNames, outputNames, inputs, outputs) { WeightsInPlace = inPlace };
        }
        catch
        {
            api.ReleaseSession(session);
            inputNames?.Dispose();
            outputNames?.Dispose();
            weights?.Dispose();
            throw;
        }
    }

    private static TensorInfo Describe(OnnxRuntimeLibrary library, nint session, nuint index, bool isInput)
    {
        const int tensorKind = 1; // ONNX_TYPE_TENSOR
        OrtApi api = library.Api;
        nint name, type, info;
        api.Check(isInput
            ? api.SessionGetInputName(session, index, library.Env.Allocator, &name)
            : api.SessionGetOutputName(session, index, library.Env.Allocator, &name));
        string text = Marshal.PtrToStringUTF8(name)!;
        api.Check(api.AllocatorFree(library.Env.Allocator, name));

        api.Check(isInput ? api.SessionGetInputTypeInfo(session, index, &type) : api.SessionGetOutputTypeInfo(session, index, &type));
        try
        {
            int kind;
            api.Check(api.GetOnnxTypeFromTypeInfo(type, &kind));
            if (kind != tensorKind)
                throw new OnnxRuntimeException(OnnxRuntimeError.NotImplemented,
                    $"'{text}' is not a tensor but a sequence, map or optional value; export the model with tensors (for classifiers: without ZipMap).");
            api.Check(api.CastTypeInfoToTensorInfo(type, &info)); // owned by the type
            (TensorElementType elements, long[] shape) = OrtTensor.ReadInfo(api, info);
            if (elements == TensorElementType.Undefined || !Enum.IsDefined(elements))
                throw new OnnxRuntimeException(OnnxRuntimeError.NotImplemented, $"'{text}' has elements of ONNX type {(int)elements}, which this binding does not know.");
            return new TensorInfo(text, elements, shape);
        }
        finally
        {
            api.ReleaseTypeInfo(type);
        }
    }
}
