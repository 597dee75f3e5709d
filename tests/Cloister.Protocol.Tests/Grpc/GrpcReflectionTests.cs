using Cloister.Protocol.Grpc.Health;
using Cloister.Protocol.Grpc.Reflection;
using Cloister.Protocol.Grpc.Reflection.V1;
using Cloister.Protocol.Marble;
using Google.Protobuf.Reflection;

namespace Cloister.Protocol.Tests.Grpc;

public sealed class GrpcReflectionTests
{
    private static Task<GrpcTestServer> StartAsync() =>
        GrpcTestServer.StartAsync(routes => routes.MapGrpcReflection([MarbleReflection.Descriptor, GrpcHealthEndpoints.Descriptor]));

    private static async Task<List<ServerReflectionResponse>> AskAsync(string version, params ServerReflectionRequest[] requests)
    {
        await using GrpcTestServer server = await StartAsync();
        await using var call = new StreamCall(server.Client(), server.Address, $"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        var answers = new List<ServerReflectionResponse>();
        foreach (ServerReflectionRequest request in requests)
        {
            call.Send(request);
            answers.Add(ServerReflectionResponse.Parser.ParseFrom(await call.ReceiveAsync()));
            Assert.Equal(request, answers[^1].OriginalRequest);
        }
        call.Complete();
        Assert.Equal("0", await call.StatusAsync());
        return answers;
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task ServicesAreListed(string version)
    {
        List<ServerReflectionResponse> answers = await AskAsync(version, new ServerReflectionRequest { Host = "h", ListServices = "*" });
        Assert.Equal(["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "rpc.Marble"],
            answers[0].ListServicesResponse.Service.Select(service => service.Name));
        Assert.Equal("h", answers[0].ValidHost);
    }

    [Theory]
    [InlineData("rpc.Marble")]
    [InlineData("rpc.Marble.Activate")]
    [InlineData("rpc.ActivationReq")]
    [InlineData("rpc.ActivationReq.UUID")]
    public async Task AFileIsFoundByAnySymbolInIt(string symbol)
    {
        List<ServerReflectionResponse> answers = await AskAsync("v1", new ServerReflectionRequest { FileContainingSymbol = symbol });
        FileDescriptorProto file = FileDescriptorProto.Parser.ParseFrom(answers[0].FileDescriptorResponse.FileDescriptorProto[0]);
        Assert.Equal("rpc", file.Package);
        Assert.Equal("Marble", Assert.Single(file.Service).Name);
    }

    [Fact]
    public async Task NestedSymbolsAndNamesOfFilesAreFoundToo()
    {
        List<ServerReflectionResponse> answers = await AskAsync("v1",
            new ServerReflectionRequest { FileContainingSymbol = "grpc.health.v1.HealthCheckResponse.ServingStatus" },
            new ServerReflectionRequest { FileByFilename = GrpcHealthEndpoints.Descriptor.Name });
        Assert.All(answers, answer => Assert.Equal(GrpcHealthEndpoints.Descriptor.SerializedData, Assert.Single(answer.FileDescriptorResponse.FileDescriptorProto)));
    }

    [Fact]
    public async Task WhatIsNotHereIsAnErrorInTheAnswer()
    {
        List<ServerReflectionResponse> answers = await AskAsync("v1",
            new ServerReflectionRequest { FileContainingSymbol = "rpc.Nothing" },
            new ServerReflectionRequest { FileByFilename = "nothing.proto" },
            new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "rpc.ActivationReq", ExtensionNumber = 100 } },
            new ServerReflectionRequest { AllExtensionNumbersOfType = "rpc.ActivationReq" },
            new ServerReflectionRequest());
        Assert.Equal([5, 5, 5, 5, 3], answers.Select(answer => answer.ErrorResponse.ErrorCode));
    }
}
