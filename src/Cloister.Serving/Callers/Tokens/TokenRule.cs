using Cloister.Protocol.Tokens;
using Cloister.Workload;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>Which believed tokens are a caller's.</summary>
internal sealed class TokenRule(TokenRuleGrant grant, Caller caller)
{
    public Caller Caller => caller;

    /// <summary>The issuer's name in the manifest.</summary>
    public string Issuer => grant.Issuer;

    /// <summary>Whether every claim of the rule has one of its values. Claims are compared exactly.</summary>
    public bool Fits(JsonWebToken token) => grant.Claims.All(claim => token.Claims.TryGetValue(claim.Key, out var values) && values.Any(claim.Value.Contains));
}
