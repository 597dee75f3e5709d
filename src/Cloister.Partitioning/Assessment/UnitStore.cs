using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>
/// Findings in a folder, a file each, named by their key: what is finished stays when the rest is stopped, and is taken up again. A file that
/// is torn, foreign or of another key is as good as none.
/// </summary>
internal sealed class UnitStore
{
    private const string TemporarySuffix = ".cloister-tmp";
    private const long MostBytes = 256 << 20;

    private readonly string _folder;

    private UnitStore(string folder) => _folder = folder;

    /// <summary>Opens a folder, which is made where it is absent. What writers left unfinished is deleted.</summary>
    public static UnitStore Open(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string unfinished in Directory.EnumerateFiles(folder, "*" + TemporarySuffix)) File.Delete(unfinished);
        return new UnitStore(folder);
    }

    /// <summary>The findings of this key, or none.</summary>
    public async Task<ImmutableArray<Finding>> TakeAsync(string key, string attack, int count, CancellationToken cancellation)
    {
        var file = new FileInfo(PathOf(key, attack));
        if (!file.Exists || file.Length > MostBytes) return [];
        byte[] bytes = await File.ReadAllBytesAsync(file.FullName, cancellation);
        return Read(bytes, key, attack) is { } findings && findings.Length == count ? findings : [];
    }

    /// <summary>Keeps findings: when the task has ended they are on the disk, whole.</summary>
    public async Task PutAsync(string key, string attack, ImmutableArray<Finding> findings, CancellationToken cancellation)
    {
        string target = PathOf(key, attack), temporary = Path.Combine(_folder, $".{Guid.NewGuid():N}{TemporarySuffix}");
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(new UnitDocument(key, [.. findings.Select(finding => new UnitFinding(finding, finding.Pictures))]), UnitJson.Default.UnitDocument);
        try
        {
            await using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous))
            {
                await stream.WriteAsync(bytes, cancellation);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    internal static ImmutableArray<Finding>? Read(ReadOnlySpan<byte> bytes, string key, string attack)
    {
        try
        {
            UnitDocument? document = JsonSerializer.Deserialize(bytes, UnitJson.Default.UnitDocument);
            if (document is null || document.Key != key || document.Findings.IsDefault || document.Findings.Any(one => one?.IsWhole(attack) != true)) return null;
            return [.. document.Findings.Select(one => one.Finding with { Pictures = one.Pictures })];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>For fuzzing: a file is a finding or none.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes) => _ = Read(bytes, new string('0', 64), "inversion");

    internal string PathOf(string key, string attack) => Path.Combine(_folder, $"{attack}-{key[..24]}.json");
}

/// <summary>What is in a unit's file.</summary>
internal sealed record UnitDocument(string Key, ImmutableArray<UnitFinding> Findings);

/// <summary>A finding with the pictures that its own JSON leaves out.</summary>
internal sealed record UnitFinding(Finding Finding, ImmutableArray<RebuiltPicture> Pictures)
{
    public bool IsWhole(string attack) => Finding.Attack == attack && AssessmentReportCheck.Of(Finding) is null && !Pictures.IsDefault && Pictures.All(picture => picture is not null);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(UnitDocument))]
internal sealed partial class UnitJson : JsonSerializerContext;
