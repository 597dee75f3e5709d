using System.Runtime.InteropServices;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// The part of <c>struct OrtApi</c> (onnxruntime_c_api.h) that this binding calls: each member has the C function's name and its
/// position in the table. The table only ever grows at its end, and the version asked for fixes what the positions mean.
/// </summary>
internal sealed unsafe class OrtApi(nint* table)
{
    /// <summary>The ORT_API_VERSION these positions are taken from.</summary>
    public const uint Version = 19;

    /// <summary>Does nothing on success; else frees the status and throws what it says.</summary>
    public void Check(nint status)
    {
        if (status == 0)
            return;
        int code = ((delegate* unmanaged<nint, int>)table[1])(status); // GetErrorCode
        string text = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)table[2])(status)) ?? ""; // GetErrorMessage
        ((delegate* unmanaged<nint, void>)table[93])(status); // ReleaseStatus
        throw new OnnxRuntimeException((OnnxRuntimeError)code, text);
    }

    // Environment and memory.
    public nint CreateEnv(int severity, byte* id, nint* env) => ((delegate* unmanaged<int, byte*, nint*, nint>)table[3])(severity, id, env);
    public nint DisableTelemetryEvents(nint env) => ((delegate* unmanaged<nint, nint>)table[6])(env);
    public nint CreateCpuMemoryInfo(int allocator, int memory, nint* info) => ((delegate* unmanaged<int, int, nint*, nint>)table[69])(allocator, memory, info);
    public nint AllocatorFree(nint allocator, nint memory) => ((delegate* unmanaged<nint, nint, nint>)table[76])(allocator, memory);
    public nint GetAllocatorWithDefaultOptions(nint* allocator) => ((delegate* unmanaged<nint*, nint>)table[78])(allocator);

    // Session options.
    public nint CreateSessionOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)table[10])(options);
    public nint SetSessionExecutionMode(nint options, int mode) => ((delegate* unmanaged<nint, int, nint>)table[13])(options, mode);
    public nint DisableCpuMemArena(nint options) => ((delegate* unmanaged<nint, nint>)table[19])(options);
    public nint SetSessionGraphOptimizationLevel(nint options, int level) => ((delegate* unmanaged<nint, int, nint>)table[23])(options, level);
    public nint SetIntraOpNumThreads(nint options, int threads) => ((delegate* unmanaged<nint, int, nint>)table[24])(options, threads);
    public nint SetInterOpNumThreads(nint options, int threads) => ((delegate* unmanaged<nint, int, nint>)table[25])(options, threads);
    public nint AddSessionConfigEntry(nint options, byte* key, byte* value) => ((delegate* unmanaged<nint, byte*, byte*, nint>)table[130])(options, key, value);
    public nint AddInitializer(nint options, byte* name, nint value) => ((delegate* unmanaged<nint, byte*, nint, nint>)table[150])(options, name, value);
    public nint AddExternalInitializers(nint options, byte** names, nint* values, nuint count) =>
        ((delegate* unmanaged<nint, byte**, nint*, nuint, nint>)table[210])(options, names, values, count);

    // Session.
    public nint CreateSessionFromArray(nint env, void* model, nuint length, nint options, nint* session) =>
        ((delegate* unmanaged<nint, void*, nuint, nint, nint*, nint>)table[8])(env, model, length, options, session);
    public nint Run(nint session, nint options, byte** inputNames, nint* inputs, nuint inputCount, byte** outputNames, nuint outputCount, nint* outputs) =>
        ((delegate* unmanaged<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint>)table[9])(
            session, options, inputNames, inputs, inputCount, outputNames, outputCount, outputs);
    public nint SessionGetInputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)table[30])(session, count);
    public nint SessionGetOutputCount(nint session, nuint* count) => ((delegate* unmanaged<nint, nuint*, nint>)table[31])(session, count);
    public nint SessionGetInputTypeInfo(nint session, nuint index, nint* info) => ((delegate* unmanaged<nint, nuint, nint*, nint>)table[33])(session, index, info);
    public nint SessionGetOutputTypeInfo(nint session, nuint index, nint* info) => ((delegate* unmanaged<nint, nuint, nint*, nint>)table[34])(session, index, info);
    public nint SessionGetInputName(nint session, nuint index, nint allocator, nint* name) =>
        ((delegate* unmanaged<nint, nuint, nint, nint*, nint>)table[36])(session, index, allocator, name);
    public nint SessionGetOutputName(nint session, nuint index, nint allocator, nint* name) =>
        ((delegate* unmanaged<nint, nuint, nint, nint*, nint>)table[37])(session, index, allocator, name);

    // Run options.
    public nint CreateRunOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)table[39])(options);
    public nint RunOptionsSetTerminate(nint options) => ((delegate* unmanaged<nint, nint>)table[46])(options);
    public nint RunOptionsUnsetTerminate(nint options) => ((delegate* unmanaged<nint, nint>)table[47])(options);

    // Values and what is known of them.
    public nint CreateTensorAsOrtValue(nint allocator, long* shape, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)table[48])(allocator, shape, rank, type, value);
    public nint CreateTensorWithDataAsOrtValue(nint memory, void* data, nuint length, long* shape, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)table[49])(memory, data, length, shape, rank, type, value);
    public nint IsTensor(nint value, int* isTensor) => ((delegate* unmanaged<nint, int*, nint>)table[50])(value, isTensor);
    public nint GetTensorMutableData(nint value, void** data) => ((delegate* unmanaged<nint, void**, nint>)table[51])(value, data);
    public nint FillStringTensor(nint value, byte** strings, nuint count) => ((delegate* unmanaged<nint, byte**, nuint, nint>)table[52])(value, strings, count);
    public nint GetStringTensorDataLength(nint value, nuint* length) => ((delegate* unmanaged<nint, nuint*, nint>)table[53])(value, length);
    public nint GetStringTensorContent(nint value, void* text, nuint length, nuint* offsets, nuint count) =>
        ((delegate* unmanaged<nint, void*, nuint, nuint*, nuint, nint>)table[54])(value, text, length, offsets, count);
    public nint CastTypeInfoToTensorInfo(nint type, nint* tensor) => ((delegate* unmanaged<nint, nint*, nint>)table[55])(type, tensor);
    public nint GetOnnxTypeFromTypeInfo(nint type, int* kind) => ((delegate* unmanaged<nint, int*, nint>)table[56])(type, kind);
    public nint GetTensorElementType(nint tensor, int* type) => ((delegate* unmanaged<nint, int*, nint>)table[60])(tensor, type);
    public nint GetDimensionsCount(nint tensor, nuint* rank) => ((delegate* unmanaged<nint, nuint*, nint>)table[61])(tensor, rank);
    public nint GetDimensions(nint tensor, long* shape, nuint rank) => ((delegate* unmanaged<nint, long*, nuint, nint>)table[62])(tensor, shape, rank);
    public nint GetTensorTypeAndShape(nint value, nint* info) => ((delegate* unmanaged<nint, nint*, nint>)table[65])(value, info);

    // Releases; none can fail.
    public void ReleaseSession(nint session) => ((delegate* unmanaged<nint, void>)table[95])(session);
    public void ReleaseValue(nint value) => ((delegate* unmanaged<nint, void>)table[96])(value);
    public void ReleaseRunOptions(nint options) => ((delegate* unmanaged<nint, void>)table[97])(options);
    public void ReleaseTypeInfo(nint info) => ((delegate* unmanaged<nint, void>)table[98])(info);
    public void ReleaseTensorTypeAndShapeInfo(nint info) => ((delegate* unmanaged<nint, void>)table[99])(info);
    public void ReleaseSessionOptions(nint options) => ((delegate* unmanaged<nint, void>)table[100])(options);
}
