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

        PlacedWeights placed = PlacedWeights.Place(model, weights);
        nint session;
        bool inPlace = placed.AnyLent;
        try
        {
            try
            {
                session = Create(library, placed.Model, options, placed, inPlace);
            }
            catch (OnnxRuntimeException) when (inPlace && options.Level != GraphOptimization.None && !options.RequireWeightsInPlace)
            {
                // Folding, fusing and laying out anew read a weight where it is lent from, an empty file, and fail: so they get a copy.
                inPlace = false;
                session = Create(library, placed.Model, options, placed, inPlace);
            }
        }
        catch
        {
            placed.Dispose();
            throw;
        }
        return Wrap(library, session, placed, inPlace);
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
        else if (weights is { AnyLent: true })
            weights.LendToCopy(api, native);
        nint session;
        fixed (byte* bytes = model)
            api.Check(api.CreateSessionFromArray(library.Env.Handle, bytes, (nuint)model.Length, native.Value, &session));
        return session;
    }

    private static OrtSession Wrap(OnnxRuntimeLibrary library, nint session, PlacedWeights? weights, bool inPlace)
    {
        OrtApi api = library.Api;
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
