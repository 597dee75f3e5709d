using System.Text;
using Cloister.Partitioning.Reports;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Repository;

namespace Cloister.Cli.CommandLine;

/// <summary>The folder that <c>cloister model partition</c> wrote: parts of a model and what their assessor signed.</summary>
internal sealed class PartitionFolder
{
    private readonly List<SealedSource> _entries = [];

    private PartitionFolder(MakerPublicKey assessor, PartitionReport report) => (Assessor, Report) = (assessor, report);

    /// <summary>Who signed.</summary>
    public MakerPublicKey Assessor { get; }

    public PartitionReport Report { get; }

    /// <summary>What is sealed of it.</summary>
    public IReadOnlyList<SealedSource> Entries => _entries;

    /// <summary>Reads the folder; every part must be the one that was signed.</summary>
    /// <exception cref="CommandException">A file is missing.</exception>
    /// <exception cref="ServingException">The signature does not hold, or a part is another one.</exception>
    public static async Task<PartitionFolder> ReadAsync(string folder, CancellationToken cancellation)
    {
        byte[] signed = await LocalFile.ReadAsync(Path.Combine(folder, SignedPartitionReport.Name), cancellation, SignedPartitionReport.MaximumBytes);
        MakerPublicKey assessor = SignedPartitionReport.SignerOf(signed);
        var read = new PartitionFolder(assessor, SignedPartitionReport.Open(signed, assessor.SubjectPublicKeyInfo.Span));
        await read.AddAsync(folder, PartitionEntries.Front, read.Report.Front, cancellation);
        await read.AddAsync(folder, PartitionEntries.Back, read.Report.Back, cancellation);
        if (read.Report.Tail is { } tail) await read.AddAsync(folder, PartitionEntries.Tail, tail, cancellation);
        else if (File.Exists(Path.Combine(folder, PartitionEntries.Tail)))
            throw new CommandException(ExitCode.BadInput, $"'{folder}' has a {PartitionEntries.Tail} that the signed report does not know; remove it, or partition the model again.");
        read._entries.Add(SealedSource.FromBytes(SignedPartitionReport.Name, signed));
        return read;
    }

    /// <summary>Checks what is sealed beside the parts.</summary>
    /// <exception cref="ServingException">Labels or configuration mean nothing for a model in parts.</exception>
    public static void Demand(byte[]? labels, byte[]? configuration)
    {
        if (labels is not null) PartitionEntries.Demand(ModelLabels.Read(labels));
        if (configuration is not null) PartitionEntries.Demand(ModelConfiguration.Read(configuration));
    }

    /// <summary>Who vouches for what, in lines.</summary>
    public string Describe(MakerPublicKey maker)
    {
        var text = new StringBuilder("assessor ").Append(Assessor).Append(Assessor.Equals(maker) ? " (the maker)" : " (not the maker: the manifest must name this key as the Assessor of Partition)").Append('\n');
        text.Append("measured ").Append(Report.Protection.IsEmpty
            ? "nothing: whoever demands a score in the manifest will refuse it"
            : string.Join(", ", Report.Protection.Select(score => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{score.Key} {score.Value:0.####}"))));
        return text.ToString();
    }

    private async Task AddAsync(string folder, string part, string digest, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(Path.Combine(folder, part), cancellation, PartitionEntries.MaximumPartBytes);
        PartitionCheck.DemandPart(part, bytes, digest);
        _entries.Add(SealedSource.FromBytes(part, bytes));
    }
}
