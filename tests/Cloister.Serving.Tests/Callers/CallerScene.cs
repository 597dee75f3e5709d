using System.Security.Cryptography.X509Certificates;
using Cloister.Serving.Callers;
using Cloister.Serving.Tests.Execution;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Serving.Tests.Callers;

/// <summary>A registry under a clock that the test moves, and requests that are nothing but their credentials.</summary>
internal sealed class CallerScene(CallerRights rights) : IAsyncDisposable
{
    public ManualTime Time { get; } = new();

    public DateTimeOffset Now => Time.GetUtcNow();

    public CallerRegistry Registry => field ??= new CallerRegistry(rights, Time, NullLogger.Instance);

    public static CallerGrant TokenCaller(string name, string issuer, params (string Claim, string[] Values)[] claims) => new(name, default, default, ["digits"])
    {
        Token = new TokenRuleGrant(issuer, claims.ToDictionary(claim => claim.Claim, IReadOnlyList<string> (claim) => claim.Values)),
    };

    public static TokenIssuerGrant Issuer(byte[] keys, string name = "login") => new(name, "https://login.example", ["models"]) { Keys = keys };

    public static HttpContext Bearer(string token)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Authorization = "Bearer " + token;
        return http;
    }

    public static HttpContext Certificate(X509Certificate2 certificate)
    {
        var http = new DefaultHttpContext();
        http.Connection.ClientCertificate = certificate;
        return http;
    }

    /// <summary>The name of whoever shows a token; the refusal's error where nobody does.</summary>
    public string Ask(string token, string model = "digits") => Ask(Bearer(token), model);

    public string Ask(HttpContext http, string model = "digits")
    {
        try
        {
            return Registry.Authorise(http, model)?.Name ?? "anybody";
        }
        catch (ServingException refusal)
        {
            return refusal.Error.ToString();
        }
    }

    public string Reason(string token)
    {
        var refusal = Assert.Throws<ServingException>(() => Registry.Authorise(Bearer(token), "digits"));
        return refusal.Message;
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();
}
