namespace Cloister.Protocol.Manifest;

/// <summary>Reads manifests: bytes in, a checked document or every problem out. Pure.</summary>
public static class ManifestReader
{
    /// <summary>Largest manifest: 4 MiB.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Reads a manifest in a dialect. It never throws on any bytes.</summary>
    public static ManifestOutcome Read(ReadOnlySpan<byte> json, ManifestDialect dialect)
    {
        if (!Enum.IsDefined(dialect)) throw new ArgumentOutOfRangeException(nameof(dialect));
        var problems = new ManifestProblems(dialect);
        string fingerprint = ManifestFingerprint.Of(json);
        ManifestDocument? document = null;
        if (json.Length > MaxBytes)
            problems.Add(ManifestProblemCode.TooLarge, "", $"the manifest has {json.Length} bytes; the limit is {MaxBytes}");
        else if (Parse(json, problems) is { } root)
            document = Check(root, json.ToArray(), problems) with { Fingerprint = fingerprint };
        return new ManifestOutcome(document, problems.Problems, problems.Warnings, fingerprint);
    }

    /// <summary>What the bytes say, unchecked; null where they cannot be decoded.</summary>
    internal static ManifestDocument? Decode(ReadOnlySpan<byte> json, ManifestDialect dialect)
    {
        var problems = new ManifestProblems(dialect);
        if (json.Length > MaxBytes || Parse(json, problems) is not { } root) return null;
        ManifestDocument document = new ManifestDecoder(new GoDecoder(problems), problems, json.ToArray()).Document(root);
        return problems.Count == 0 ? document : null;
    }

    private static GoValue? Parse(ReadOnlySpan<byte> json, ManifestProblems problems)
    {
        try
        {
            return GoJson.Parse(json, strict: problems.IsCloister);
        }
        catch (GoJsonException error)
        {
            problems.Add(ManifestProblemCode.Syntax, "", "unmarshaling manifest: " + error.Message);
            return null;
        }
    }

    private static ManifestDocument Check(GoValue root, ReadOnlyMemory<byte> json, ManifestProblems problems)
    {
        ManifestDocument document = new ManifestDecoder(new GoDecoder(problems), problems, json).Document(root);
        if (problems.Count > 0) return document; // half a document would only be blamed for what was not read
        ManifestChecks.Check(document, problems);
        SecretChecks.Check(document, problems);
        if (problems.IsCloister) CloisterMembers.Check(document, problems);
        if (problems.IsCloister) CallerChecks.Check(document, problems);
        TemplateChecks.Check(document, problems);
        return document;
    }

    /// <summary>Fuzz target: the first byte picks the dialect, the rest is a manifest.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        ManifestOutcome outcome = Read(data[1..], (data[0] & 1) == 0 ? ManifestDialect.MarbleRun : ManifestDialect.Cloister);
        if (outcome.IsAccepted != outcome.Problems.IsEmpty) throw new InvalidOperationException("A manifest with problems was accepted, or the reverse.");
        // Whatever Cloister's dialect accepts without its own members, MarbleRun's accepts too.
        if (outcome.IsAccepted && (data[0] & 1) == 1 && outcome.Document is { Models.IsEmpty: true, Callers.IsEmpty: true, TokenIssuers.IsEmpty: true, AnonymousQuota: null } own
            && own.Packages.Values.All(package => package.Policy is null)
            && !Read(data[1..], ManifestDialect.MarbleRun).IsAccepted)
            throw new InvalidOperationException("MarbleRun's dialect refuses what the stricter one accepts.");
    }
}
