using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

/// <summary>Shows a machine's news: what its program writes as the program wrote it, everything else beside it.</summary>
internal static class MachineNewsPrinter
{
    public static void Print(Screen screen, MachineNews news, MachineRecord? record = null)
    {
        if (screen.Json)
            screen.Result("", Document(news, record));
        else if (news.Kind == MachineNewsKind.Output)
            screen.Line(news.Text);
        else if (news.Kind == MachineNewsKind.Error)
            screen.Note(news.Text);
        else
            screen.Note(string.Create(CultureInfo.InvariantCulture, $"{news.Time:HH:mm:ss} {(news.Kind == MachineNewsKind.Event ? "machine: " : "")}{news.Name}: {news.Text}"));
    }

    /// <summary>As <c>event</c> the state's or event's name, or <c>output</c> or <c>error-output</c> with the line as <c>text</c>.</summary>
    public static JsonObject Document(MachineNews news, MachineRecord? record)
    {
        var document = new JsonObject { ["event"] = news.Kind switch { MachineNewsKind.Output => "output", MachineNewsKind.Error => "error-output", _ => news.Name } };
        document[news.Name is null ? "text" : "message"] = news.Text;
        document["time"] = news.Time.ToString("O", CultureInfo.InvariantCulture);
        document["from"] = news.Kind == MachineNewsKind.Host ? "host" : "machine";
        foreach ((string name, string value) in news.Fields ?? ImmutableSortedDictionary<string, string>.Empty)
            document.TryAdd(name, value);
        if (news is { Kind: MachineNewsKind.Host, Name: MachineStates.Ready } && record is not null)
            Describe(document, record);
        return document;
    }

    /// <summary>Adds what a program needs to know of a machine.</summary>
    public static void Describe(JsonObject document, MachineRecord record)
    {
        document["name"] = record.Name;
        document["image"] = record.Image;
        document["pid"] = record.Pid;
        document["ports"] = Ports(record);
        document["tpmRoot"] = record.TpmRoot;
        document["tpmCertificate"] = record.TpmCertificate;
        document["accelerator"] = record.Accelerator;
        document["debug"] = record.Debug;
    }

    private static JsonObject Ports(MachineRecord record)
    {
        var ports = new JsonObject();
        foreach (RecordedPort port in record.Ports)
            ports[port.Guest.ToString(CultureInfo.InvariantCulture)] = port.Host;
        return ports;
    }
}
