using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Activation;

/// <summary>Callers of a marble's models as its answer carries them.</summary>
internal static class GrantedCallers
{
    public static void Add(ActivationResp answer, MarblePlan plan)
    {
        foreach (GrantedCaller granted in plan.Callers)
            answer.Callers.Add(Caller(granted));
        answer.AnonymousModels.AddRange(plan.AnonymousModels);
        if (plan.AnonymousQuota is { } quota) answer.AnonymousLimits.AddRange(Limits(quota, plan.AnonymousModels));
        foreach ((string name, ManifestTokenIssuer issuer) in plan.TokenIssuers)
            answer.TokenIssuers.Add(Issuer(name, issuer));
    }

    private static CallerGrant Caller(GrantedCaller granted)
    {
        var caller = new CallerGrant
        {
            Name = granted.Name,
            Certificate = ByteString.CopyFrom(granted.Caller.CertificateDer.Span),
            TokenSha256 = ByteString.CopyFrom(granted.Caller.TokenSha256.Span),
        };
        caller.Models.AddRange(granted.Models);
        caller.Administers.AddRange(granted.Caller.Administers);
        if (granted.Caller.Quota is { } quota) caller.Limits.AddRange(Limits(quota, granted.Models));
        if (granted.Caller.Token is { } token)
        {
            caller.Token = new TokenRuleGrant { Issuer = token.Issuer, Any = token.Any };
            foreach ((string name, var values) in token.Claims)
            {
                var claim = new ClaimGrant { Name = name };
                claim.Values.AddRange(values);
                caller.Token.Claims.Add(claim);
            }
        }
        if (granted.Caller.CertificateFrom is { } from)
        {
            caller.CertificateFrom = new CertificateRuleGrant { Authority = ByteString.CopyFrom(from.AuthorityDer.Span), CommonName = from.CommonName, Dns = from.Dns, Uri = from.Uri, Email = from.Email };
            caller.CertificateFrom.Revoked.AddRange(from.Revoked.Select(serial => ByteString.CopyFrom(serial.Span)));
        }
        return caller;
    }

    private static IEnumerable<LimitsGrant> Limits(ManifestQuota quota, IReadOnlyCollection<string> models)
    {
        yield return Limits("", quota.Limits);
        foreach ((string model, ManifestLimits limits) in quota.Models)
            if (models.Contains(model)) yield return Limits(model, limits);
    }

    private static LimitsGrant Limits(string model, ManifestLimits limits) => new()
    {
        Model = model,
        Requests = limits.Requests,
        Seconds = limits.Seconds,
        Burst = limits.Burst,
        Concurrent = limits.Concurrent,
        Bytes = limits.Bytes,
        Elements = limits.Elements,
        Rows = limits.Rows,
    };

    private static TokenIssuerGrant Issuer(string name, ManifestTokenIssuer issuer)
    {
        var grant = new TokenIssuerGrant
        {
            Name = name,
            Issuer = issuer.Issuer,
            Keys = ByteString.CopyFrom(issuer.Keys.Span),
            KeysAddress = issuer.KeysAddress,
            KeysRoot = ByteString.CopyFrom(issuer.KeysRootDer.Span),
            ClockSkewSeconds = issuer.ClockSkewSeconds,
            MaxLifetimeSeconds = issuer.MaxLifetimeSeconds,
            RefreshSeconds = issuer.RefreshSeconds,
            StaleSeconds = issuer.StaleSeconds,
        };
        grant.Audiences.AddRange(issuer.Audiences);
        grant.Algorithms.AddRange(issuer.Algorithms);
        return grant;
    }
}
