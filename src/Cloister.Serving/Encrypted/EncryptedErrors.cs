using Cloister.Serving.Json;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.Encrypted;

/// <summary><c>{"error": "...", "number": 721}</c>: the number is the <see cref="ServingError"/>, by which a client knows that it must register again.</summary>
internal sealed class EncryptedErrors : SurfaceErrors
{
    public override string Surface => "encrypted";

    public override void Write(JsonOutput json, string message) => json.Raw("{\"error\":"u8).Text(message).Raw("}"u8);

    public override void Write(JsonOutput json, ServingException refusal) =>
        json.Raw("{\"error\":"u8).Text(refusal.Message).Raw(",\"number\":"u8).Number((int)refusal.Error).Raw("}"u8);
}
