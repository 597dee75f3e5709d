using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary>The envelope of every REST answer (JSend): <c>{"status":"success"|"fail"|"error","data":…,"message":…}</c>.</summary>
/// <param name="Status"><see cref="JSend.Success"/>, <see cref="JSend.Fail"/> (the request is at fault) or <see cref="JSend.Error"/>.</param>
/// <param name="Data">The answer; null in an error.</param>
/// <param name="Message">What went wrong; absent in a success.</param>
/// <param name="Code">Cloister's number for what went wrong (v3 only); absent elsewhere.</param>
public sealed record JSend<T>(
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("data")] T? Data,
    [property: JsonPropertyName("message"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message = null,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code = null);

/// <summary>Makes envelopes.</summary>
public static class JSend
{
    /// <summary>Status of an answer.</summary>
    public const string Success = "success";
    /// <summary>Status of a refusal that the caller can mend.</summary>
    public const string Fail = "fail";
    /// <summary>Status of an error.</summary>
    public const string Error = "error";

    /// <summary>A successful answer.</summary>
    public static JSend<T> Of<T>(T data) => new(Success, data);

    /// <summary>An error, with Cloister's code where there is one.</summary>
    public static JSend<object> ErrorOf(string message, string? code = null) => new(Error, null, message, code);

    /// <summary>A refusal of the request itself.</summary>
    public static JSend<object> FailOf(string message, string? code = null) => new(Fail, null, message, code);
}
