namespace Cloister.Onnx.Runtime;

/// <content>Loading.</content>
public sealed unsafe partial class OrtSession
{
    /// <summary>Loads a model from memory. The bytes are not needed after the call.</summary>
    /// <param name="model">An ONNX model.</param>
    /// <param name="options">How it runs; the defaults if null.</param>
    /// <param name="weights">The model's external data, by the <c>location</c> that the model names; null if it has none.</param>
    /// <exception cref="OnnxRuntimeException">The bytes are not a model that ONNX Runtime runs; the text is ONNX Runtime's.</exception>
    /// <exception cref="OnnxRuntimeLibraryException">ONNX Runtime's library is missing or is not the pinned one.</exception>
    public static OrtSession FromMemory(
        ReadOnlyMemory<byte> model, OrtSessionOptions? options = null, IReadOnlyDictionary<string, ExternalWeights>? weights = null)
    {
        if (weights is { Count: > 0 })
            throw new NotSupportedException("External weights.");
        OnnxRuntimeLibrary library = OnnxRuntimeLibrary.Shared;
        OrtApi api = library.Api;
        using OrtSessionOptionsHandle native = SessionOptionsWriter.Write(library, options ?? new OrtSessionOptions());
        nint session;
        fixed (byte* bytes = model.Span)
            api.Check(api.CreateSessionFromArray(library.Env.Handle, bytes, (nuint)model.Length, native.Value, &session));
        return Wrap(library, session, null);
    }

    private static OrtSession Wrap(OnnxRuntimeLibrary library, nint session, IDisposable? weights)
    {
        OrtApi api = library.Api;
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
            NativeStrings inputNames = new([.. inputs.Select(info => info.Name)]), outputNames = new([.. outputs.Select(info => info.Name)]);
            return new OrtSession(api, new OrtSessionHandle(session, inputNames, outputNames, weights), inputNames, outputNames, inputs, outputs);
        }
        catch
        {
            api.ReleaseSession(session);
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
        string text = System.Runtime.InteropServices.Marshal.PtrToStringUTF8(name)!;
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
            return new TensorInfo(text, elements, shape);
        }
        finally
        {
            api.ReleaseTypeInfo(type);
        }
    }
}
