using System.Text.Json.Serialization.Metadata;
using Cloister.Protocol;
using Cloister.Protocol.Rest;

namespace Cloister.Client;

/// <summary>Opens JSend envelopes of the coordinator and the workload.</summary>
internal static class RestAnswer
{
    private const int MaxMessage = 500;

    /// <summary>The data of a successful answer.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.RefusedByServer"/> with the server's reason, or <see cref="ClientError.AnswerMalformed"/>.</exception>
    public static T Data<T>(HttpAnswer answer, JsonTypeInfo<JSend<T>> type, string what) where T : class
    {
        if (!answer.Succeeded)
            throw Refused(answer, what);
        try
        {
            return RestJson.Read(answer.Body, type, int.MaxValue) is { Status: JSend.Success, Data: { } data }
                ? data
                : throw new ClientException(ClientError.AnswerMalformed, $"The answer to {what} succeeds without data.");
        }
        catch (ProtocolException e)
        {
            throw new ClientException(ClientError.AnswerMalformed, $"The answer to {what} is not the expected document: {e.Message}", e);
        }
    }

    /// <summary>Refuses an answer that is not a success.</summary>
    public static void RequireSuccess(HttpAnswer answer, string what)
    {
        if (!answer.Succeeded)
            throw Refused(answer, what);
    }

    private static ClientException Refused(HttpAnswer answer, string what)
    {
        string reason = "it gave no reason", code = "";
        try
        {
            JSend<object> envelope = RestJson.Read(answer.Body, RestJson.Lenient.JSendObject, int.MaxValue);
            reason = Printable(envelope.Message ?? reason);
            code = Printable(envelope.Code ?? "");
        }
        catch (ProtocolException)
        {
            // The status alone is said: an answer that is no envelope came from something else than the server.
            reason = "its answer is not JSend JSON";
        }
        return new ClientException(ClientError.RefusedByServer, $"{what} was refused with HTTP {answer.Status}: {reason}")
        {
            HttpStatus = answer.Status,
            ServerCode = code.Length > 0 ? code : null,
        };
    }

    /// <summary>A server's text for a terminal: one line, no control characters, bounded.</summary>
    internal static string Printable(string text)
    {
        string cut = text.Length > MaxMessage ? text[..MaxMessage] + "…" : text;
        return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c));
    }

    /// <summary>Fuzz target: any body is workload evidence, or refused with a <see cref="ClientException"/>, whatever the status.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        foreach (int status in new[] { 200, 503 })
        {
            try
            {
                _ = Data(new HttpAnswer(status, bytes.ToArray()), RestJson.Strict.JSendWorkloadEvidenceV3, "fuzz");
            }
            catch (ClientException e) when (e.Error is ClientError.AnswerMalformed or ClientError.RefusedByServer)
            {
                // The documented refusals.
                continue;
            }
        }
    }
}
