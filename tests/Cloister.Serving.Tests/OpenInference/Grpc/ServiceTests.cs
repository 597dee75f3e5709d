using System.Buffers;
using Cloister.Protocol.Grpc;
using Cloister.Serving.OpenInference.Grpc;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Surfaces;
using Cloister.Serving.Tests.Server;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>The methods of the service beside inference.</summary>
public sealed class ServiceTests
{
    [Fact]
    public async Task The_server_tells_of_itself_and_its_models()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        Assert.True((await client.CallAsync("ServerLive", new ServerLiveRequest(), ServerLiveResponse.Parser)).Live);
        Assert.True((await client.CallAsync("ServerReady", new ServerReadyRequest(), ServerReadyResponse.Parser)).Ready);
        Assert.True((await ReadyAsync("half", "")).Ready);
        Assert.True((await ReadyAsync("half", "1")).Ready);
        Assert.False((await ReadyAsync("half", "2")).Ready);
        Assert.False((await ReadyAsync("other", "")).Ready);
        ServerMetadataResponse about = await client.CallAsync("ServerMetadata", new ServerMetadataRequest(), ServerMetadataResponse.Parser);
        Assert.Equal("cloister", about.Name);
        Assert.Contains("model_repository", about.Extensions);

        ModelMetadataResponse metadata = await client.CallAsync("ModelMetadata", new ModelMetadataRequest { Name = "half" }, ModelMetadataResponse.Parser);
        Assert.Equal(("half", "1", "onnxruntime_onnx"), (metadata.Name, Assert.Single(metadata.Versions), metadata.Platform));
        Assert.Equal(new ModelMetadataResponse.Types.TensorMetadata { Name = "x", Datatype = "FP32", Shape = { -1 } }, Assert.Single(metadata.Inputs));
        Assert.Equal("y", Assert.Single(metadata.Outputs).Name);

        ModelConfig config = (await client.CallAsync("ModelConfig", new ModelConfigRequest { Name = "half" }, ModelConfigResponse.Parser)).Config;
        Assert.Equal(("half", "onnxruntime", 0), (config.Name, config.Backend, config.MaxBatchSize));
        Assert.Equal(new ModelInput { Name = "x", DataType = DataType.TypeFp32, Dims = { -1 } }, Assert.Single(config.Input));

        Task<ModelReadyResponse> ReadyAsync(string model, string version) =>
            client.CallAsync("ModelReady", new ModelReadyRequest { Name = model, Version = version }, ModelReadyResponse.Parser);
    }

    [Fact]
    public async Task Statistics_count_what_was_answered_and_what_was_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        await client.InferAsync(GrpcClient.Raw("half", "FP32", [3], 1f, 2f, 3f));
        await client.RefusedAsync(GrpcClient.Raw("half", "FP32", [4], 1f, 2f, 3f));
        foreach (string name in new[] { "half", "" })
        {
            ModelStatisticsResponse answer = await client.CallAsync("ModelStatistics", new ModelStatisticsRequest { Name = name }, ModelStatisticsResponse.Parser);
            ModelStatistics statistics = Assert.Single(answer.ModelStats);
            Assert.Equal(("half", "1", 1UL, 1UL), (statistics.Name, statistics.Version, statistics.InferenceStats.Success.Count, statistics.InferenceStats.Fail.Count));
        }
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => client.CallAsync("ModelStatistics", new ModelStatisticsRequest { Name = "other" }, ModelStatisticsResponse.Parser));
        Assert.Equal(GrpcStatus.NotFound, refused.Status);
    }

    [Fact]
    public async Task The_repository_lists_its_models_and_lets_no_stranger_change_them()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        RepositoryIndexResponse index = await client.CallAsync("RepositoryIndex", new RepositoryIndexRequest { Ready = true }, RepositoryIndexResponse.Parser);
        Assert.Equal(new RepositoryIndexResponse.Types.ModelIndex { Name = "half", Version = "1", State = "READY" }, Assert.Single(index.Models));
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => client.CallAsync("RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = "half" }, RepositoryModelLoadResponse.Parser));
        Assert.Equal(GrpcStatus.Unauthenticated, refused.Status);
        refused = await Assert.ThrowsAsync<GrpcException>(() => client.CallAsync("RepositoryModelUnload", new RepositoryModelUnloadRequest { ModelName = "half" }, RepositoryModelUnloadResponse.Parser));
        Assert.Equal(GrpcStatus.Unauthenticated, refused.Status);
    }

    [Theory]
    [InlineData("SystemSharedMemoryStatus")]
    [InlineData("SystemSharedMemoryRegister")]
    [InlineData("SystemSharedMemoryUnregister")]
    [InlineData("CudaSharedMemoryStatus")]
    [InlineData("CudaSharedMemoryRegister")]
    [InlineData("CudaSharedMemoryUnregister")]
    [InlineData("TraceSetting")]
    [InlineData("LogSettings")]
    public async Task What_is_not_offered_says_why(string method)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => client.CallAsync(method, new ServerLiveRequest(), ServerLiveResponse.Parser));
        Assert.Equal(GrpcStatus.Unimplemented, refused.Status);
        Assert.NotEqual("Unknown service or method.", refused.Detail);
    }

    [Fact]
    public async Task An_unknown_method_is_unimplemented()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var client = new GrpcClient(server);
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => client.CallAsync("Nothing", new ServerLiveRequest(), ServerLiveResponse.Parser));
        Assert.Equal((GrpcStatus.Unimplemented, "Unknown service or method."), (refused.Status, refused.Detail));
    }

    [Fact]
    public void A_refusal_names_itself_for_programs()
    {
        var reader = new WireReader(new ReadOnlySequence<byte>(GrpcErrorDetails.Of(GrpcStatus.NotFound, new ServingException(ServingError.ModelNotFound, "There is no model 'größer'."))));
        Assert.True(reader.Next(out int field, out _));
        Assert.Equal((1, 5UL), (field, reader.Varint()));
        Assert.True(reader.Next(out field, out _));
        Assert.Equal((2, "There is no model 'größer'."), (field, reader.Text("")));
        Assert.True(reader.Next(out field, out _));
        Any any = Any.Parser.ParseFrom(reader.Bytes());
        Assert.Equal((3, "type.googleapis.com/google.rpc.ErrorInfo", true), (field, any.TypeUrl, reader.IsAtEnd));
        Assert.Equal("\n\u000FMODEL_NOT_FOUND\u0012\u0010cloister.serving\u001A\r\n\u0006number\u0012\u0003300", any.Value.ToStringUtf8());
        Assert.True(GrpcErrorDetails.Of(GrpcStatus.NotFound, new ServingException(ServingError.ModelNotFound, new string('x', 5000))).IsEmpty);
    }

    [Fact]
    public void Numbers_of_fields_are_those_of_the_messages()
    {
        (MessageDescriptor Message, string Field, int Number)[] fields =
        [
            (ModelInferRequest.Descriptor, "model_name", ModelInferFields.ModelName), (ModelInferRequest.Descriptor, "model_version", ModelInferFields.ModelVersion),
            (ModelInferRequest.Descriptor, "id", ModelInferFields.Id), (ModelInferRequest.Descriptor, "parameters", ModelInferFields.Parameters),
            (ModelInferRequest.Descriptor, "inputs", ModelInferFields.Inputs), (ModelInferRequest.Descriptor, "outputs", ModelInferFields.Outputs),
            (ModelInferRequest.Descriptor, "raw_input_contents", ModelInferFields.RawInputContents),
            (ModelInferResponse.Descriptor, "model_name", ModelInferFields.ModelName), (ModelInferResponse.Descriptor, "model_version", ModelInferFields.ModelVersion),
            (ModelInferResponse.Descriptor, "id", ModelInferFields.Id), (ModelInferResponse.Descriptor, "parameters", ModelInferFields.Parameters),
            (ModelInferResponse.Descriptor, "outputs", ModelInferFields.ResponseOutputs), (ModelInferResponse.Descriptor, "raw_output_contents", ModelInferFields.RawOutputContents),
            (ModelStreamInferResponse.Descriptor, "error_message", ModelInferFields.ErrorMessage), (ModelStreamInferResponse.Descriptor, "infer_response", ModelInferFields.InferResponse),
            .. Tensor(ModelInferRequest.Types.InferInputTensor.Descriptor), .. Tensor(ModelInferResponse.Types.InferOutputTensor.Descriptor),
        ];
        Assert.All(fields, field => Assert.Equal(field.Number, field.Message.FindFieldByName(field.Field).FieldNumber));

        static IEnumerable<(MessageDescriptor, string, int)> Tensor(MessageDescriptor message) =>
        [
            (message, "name", ModelInferFields.TensorName), (message, "datatype", ModelInferFields.TensorDatatype), (message, "shape", ModelInferFields.TensorShape),
            (message, "parameters", ModelInferFields.TensorParameters), (message, "contents", ModelInferFields.TensorContents),
        ];
    }
}
