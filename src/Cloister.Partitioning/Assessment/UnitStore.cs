using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>
/// Findings in a folder, a file each, named by their key: what is finished stays when the rest is stopped, and is taken up again. A file that
/// is torn, foreign or of another key is as good as none. One run at a time has a folder; the system lets go of it for whoever is killed.
/// </summary>
internal sealed class UnitStore : IDisposable
{
    private const string LockName = ".lock";
    private const string TemporarySuffix = ".cloister-tmp";
    private const long MostBytes = 256 << 20;

    private readonly string _folder;

    private readonly FileStream _lock;

    private UnitStore(string folder, FileStream held) => (_folder, _lock) = (folder, held);

    /// <summary>Opens a folder, which is made where it is absent. What writers left unfinished is deleted.</summary>
    /// <exception cref="IOException">It cannot be made or written to, or another run has it; the text says which.</exception>
    public static UnitStore Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Findings cannot be kept in '{folder}': {exception.Message} Name a folder that can be written to.", exception);
        }
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{folder}' cannot be used: another assessment is writing there, or it may not be written to. Wait for that one, or name another folder. ({exception.Message})", exception);
        }
        try
        {
            foreach (string unfinished in Directory.EnumerateFiles(folder, "*" + TemporarySuffix)) File.Delete(unfinished);
            return new UnitStore(folder, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of the folder.</summary>
    public void Dispose() => _lock.Dispose();

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
        catch (IOException exception)
        {
            File.Delete(temporary);
            throw new IOException($"A finding cannot be kept: {exception.Message} What was finished before stays: make room, and run the same again.", exception);
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
