using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Partitioning.Reports;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>A model in parts and the same one whole.</summary>
internal sealed record TestParts(byte[] Whole, byte[] Front, byte[] Back, byte[]? Tail, string[] Cut, string[] TailCut)
{
    public const int Inputs = 4, Crossing = 6, Classes = 7;

    /// <summary>Labels of very different length, one of them empty.</summary>
    public const string Labels = "a\nsomething rather long, with a comma\ncat\n\nzebra\nox\nhorse";

    /// <summary>x [N, 4] → MatMul, Relu → h [N, 6] ║ MatMul → logits [N, 7] ║ Softmax → p [N, 7].</summary>
    public static TestParts Small { get; } = BuildSmall(withTail: true);

    /// <summary>The same without a tail: the accelerator gives the probabilities.</summary>
    public static TestParts Headless { get; } = BuildSmall(withTail: false);

    public PartitionReport Report => new()
    {
        Model = Digest(Whole),
        Front = Digest(Front),
        Back = Digest(Back),
        Tail = Tail is null ? null : Digest(Tail),
        Cut = [.. Cut],
        TailCut = [.. TailCut],
        Protection = ImmutableSortedDictionary<string, double>.Empty.Add("labels", 0.9).Add("pictures", 0.75),
        FitPictures = 300,
        TestPictures = 60,
        Assessment = Digest([1]),
        Tool = "test 1.0",
        Time = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero),
    };

    /// <summary>Inputs whose best class differs.</summary>
    public static float[][] Rows(int count, int seed = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Inputs).Select(_ => 8 * random.NextSingle() - 4).ToArray())];
    }

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static TestParts BuildSmall(bool withTail)
    {
        var random = new Random(20);
        float[] first = [.. Enumerable.Range(0, Inputs * Crossing).Select(_ => 2 * random.NextSingle() - 1)], second = [.. Enumerable.Range(0, Crossing * Classes).Select(_ => 3 * random.NextSingle() - 1.5f)];
        HandmadeModel Front(HandmadeModel model) => model.Inline("w1", 1, [Inputs, Crossing], first).Node("MatMul", ["x", "w1"], ["t"]).Node("Relu", ["t"], ["h"]);
        HandmadeModel Back(HandmadeModel model) => model.Inline("w2", 1, [Crossing, Classes], second).Node("MatMul", ["h", "w2"], ["logits"]);
        HandmadeModel Tail(HandmadeModel model) => model.Node("Softmax", ["logits"], ["p"]).Output("p", 1, -1, Classes);
        HandmadeModel x = new HandmadeModel().Input("x", 1, -1, Inputs), h = new HandmadeModel().Input("h", 1, -1, Crossing);
        return new TestParts(
            Tail(Back(Front(new HandmadeModel().Input("x", 1, -1, Inputs)))).ToBytes(),
            Front(x).Output("h", 1, -1, Crossing).ToBytes(),
            (withTail ? Back(h).Output("logits", 1, -1, Classes) : Tail(Back(h))).ToBytes(),
            withTail ? Tail(new HandmadeModel().Input("logits", 1, -1, Classes)).ToBytes() : null,
            ["h"], withTail ? ["logits"] : []);
    }
}

/// <summary>Seals models in parts.</summary>
internal static class PartitionedStore
{
    /// <summary>Seals a model in parts, grants it in mode partitioned and opens it to anybody.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="parts">What is sealed.</param>
    /// <param name="configuration">Its config.json; null for none.</param>
    /// <param name="labels">Its labels.txt; null for none.</param>
    /// <param name="report">Changes the report before it is signed.</param>
    /// <param name="assessor">Who signs it; null for the maker.</param>
    /// <param name="more">Further entries.</param>
    public static async Task<TestStore> AddPartsAsync(
        this TestStore store, string name, TestParts parts, string? configuration = null, string? labels = null, Func<PartitionReport, PartitionReport>? report = null, MakerKey? assessor = null, params (string Name, byte[] Bytes)[] more)
    {
        await store.AddEntriesAsync(name, Entries(store, parts, configuration, labels, report, assessor, more));
        return store.Change(name, grant => grant with { Mode = ModelModes.Partitioned });
    }

    /// <summary>The entries of such a file.</summary>
    public static (string Name, byte[] Bytes)[] Entries(
        this TestStore store, TestParts parts, string? configuration = null, string? labels = null, Func<PartitionReport, PartitionReport>? report = null, MakerKey? assessor = null, params (string Name, byte[] Bytes)[] more)
    {
        PartitionReport signed = report is null ? parts.Report : report(parts.Report);
        List<(string, byte[])> entries =
        [
            (PartitionEntries.Front, parts.Front), (PartitionEntries.Back, parts.Back), (SignedPartitionReport.Name, SignedPartitionReport.Sign(signed, assessor ?? store.Maker)), .. more,
        ];
        if (parts.Tail is { } tail) entries.Add((PartitionEntries.Tail, tail));
        if (configuration is not null) entries.Add(("config.json", Encoding.UTF8.GetBytes(configuration)));
        if (labels is not null) entries.Add(("labels.txt", Encoding.UTF8.GetBytes(labels)));
        return [.. entries];
    }
}
