using System.Text;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>What was found of some rows in a server's memory and log.</summary>
/// <param name="Traces">How many traces were looked for.</param>
/// <param name="MemoryBytes">How much memory was searched; null where the system did not show it.</param>
/// <param name="LogBytes">How much log was searched.</param>
/// <param name="InMemory">Traces in memory.</param>
/// <param name="InLog">Traces in the log.</param>
/// <param name="Refusal">Why the memory could not be read.</param>
internal sealed record SearchResult(int Traces, long? MemoryBytes, long LogBytes, IReadOnlySet<Trace> InMemory, IReadOnlySet<Trace> InLog, string? Refusal)
{
    public bool FoundNothing => InMemory.Count == 0 && InLog.Count == 0;
}

/// <summary>Searches a running server's memory, and all that it has written, for traces of rows.</summary>
/// <param name="server">The server's process.</param>
/// <param name="accessLog">Its access log.</param>
internal sealed class ServerSearch(CloisterProcess server, string accessLog)
{
    /// <summary>How many traces the search finds in this process, which holds them all: null where the system does not show its memory.</summary>
    public static int? FindHere(IReadOnlyCollection<Trace> traces, CancellationToken cancellation)
    {
        var found = new HashSet<Trace>();
        using ProcessMemory? memory = ProcessMemory.Open(Environment.ProcessId, out _);
        memory?.Search(new TraceSearch(traces), found, cancellation);
        return memory is null ? null : found.Count;
    }

    public SearchResult Run(IReadOnlyCollection<Trace> traces, CancellationToken cancellation)
    {
        var search = new TraceSearch(traces);
        HashSet<Trace> inMemory = [], inLog = [];
        byte[] log = [.. Encoding.UTF8.GetBytes(server.Transcript), .. File.Exists(accessLog) ? File.ReadAllBytes(accessLog) : []];
        search.Scan(log, inLog);
        using ProcessMemory? memory = ProcessMemory.Open(server.Id, out string? refusal);
        long? bytes = memory?.Search(search, inMemory, cancellation);
        return new SearchResult(traces.Count, bytes, log.Length, inMemory, inLog, refusal);
    }
}
