using System.Runtime.CompilerServices;
using Cloister.Protocol.Grpc.Reflection.V1;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Request = Cloister.Protocol.Grpc.Reflection.V1.ServerReflectionRequest;
using Response = Cloister.Protocol.Grpc.Reflection.V1.ServerReflectionResponse;

namespace Cloister.Protocol.Grpc.Reflection;

/// <summary>Serves <c>grpc.reflection.v1</c> and, with the same messages on the wire, <c>v1alpha</c> (grpc/doc/server-reflection.md).</summary>
public static class GrpcReflectionEndpoints
{
    /// <summary>Tells callers about the services in these files, and about reflection itself. Extensions, which proto3 has not, are answered with an error.</summary>
    public static IEndpointConventionBuilder MapGrpcReflection(this IEndpointRouteBuilder endpoints, IEnumerable<FileDescriptor> files, GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(files);
        var index = new DescriptorIndex([.. files, ReflectionV1Reflection.Descriptor, V1Alpha.ReflectionV1AlphaReflection.Descriptor]);
        RouteGroupBuilder group = endpoints.MapGroup("");
        foreach (string version in (string[])["v1", "v1alpha"])
            group.MapGrpcBidirectional($"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", Request.Parser,
                (_, requests, cancellation) => AnswerAsync(index, requests, cancellation), options);
        return group;
    }

    private static async IAsyncEnumerable<Response> AnswerAsync(DescriptorIndex index, IAsyncEnumerable<Request> requests, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var sent = new HashSet<string>(StringComparer.Ordinal); // a stream is told each import once
        await foreach (Request request in requests.WithCancellation(cancellation))
        {
            var answer = new Response { ValidHost = request.Host, OriginalRequest = request };
            Answer(index, request, sent, answer);
            yield return answer;
        }
    }

    private static void Answer(DescriptorIndex index, Request request, HashSet<string> sent, Response answer)
    {
        switch (request.MessageRequestCase)
        {
            case Request.MessageRequestOneofCase.ListServices:
                answer.ListServicesResponse = new ListServiceResponse();
                foreach (string service in index.Services) answer.ListServicesResponse.Service.Add(new ServiceResponse { Name = service });
                break;
            case Request.MessageRequestOneofCase.FileByFilename:
                Send(index.ByName(request.FileByFilename), "file", sent, answer);
                break;
            case Request.MessageRequestOneofCase.FileContainingSymbol:
                Send(index.BySymbol(request.FileContainingSymbol), "symbol", sent, answer);
                break;
            case Request.MessageRequestOneofCase.FileContainingExtension:
            case Request.MessageRequestOneofCase.AllExtensionNumbersOfType:
                answer.ErrorResponse = Error(GrpcStatus.NotFound, "The services here have no extensions.");
                break;
            default:
                answer.ErrorResponse = Error(GrpcStatus.InvalidArgument, "The request asks for nothing that reflection answers.");
                break;
        }
    }

    private static void Send(FileDescriptor? file, string what, HashSet<string> sent, Response answer)
    {
        if (file is null)
        {
            answer.ErrorResponse = Error(GrpcStatus.NotFound, $"There is no {what} of this name here.");
            return;
        }
        answer.FileDescriptorResponse = new FileDescriptorResponse();
        sent.Remove(file.Name); // what is asked for is sent again
        DescriptorIndex.Collect(file, sent, answer.FileDescriptorResponse.FileDescriptorProto);
    }

    private static ErrorResponse Error(GrpcStatus status, string message) => new() { ErrorCode = (int)status, ErrorMessage = message };
}
