using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cloister.Images.Boot;
using Cloister.Images.Volumes;

namespace Cloister.Images.Definition;

/// <summary>What must hold between the members of a definition. All problems are told at once.</summary>
internal sealed class DefinitionChecks
{
    private const int MaximumName = 32, MaximumEntries = 32, MaximumPorts = 64, MaximumDisks = 16;

    // Made by the machine itself when it starts.
    private static readonly string[] Reserved = ["/proc", "/sys", "/dev", "/cloister", GuestPaths.Run];

    private readonly List<string> _problems = [];

    public static void Check(ImageDefinition definition)
    {
        var checks = new DefinitionChecks();
        checks.All(definition);
        if (checks._problems.Count > 0)
            throw new ImageException(ImageError.DefinitionInvalid, string.Join('\n', checks._problems));
        int need = MemoryNeed.Of(definition);
        if (definition.Machine.Memory < need)
            throw new ImageException(ImageError.MemoryTooSmall, $"machine.memory is {definition.Machine.Memory} MiB; what is in the image needs at least {need}: {MemoryNeed.Explain(definition)}.");
    }

    private void All(ImageDefinition definition)
    {
        Name(definition.Name, "name");
        if (definition.Entries.IsEmpty) Add("entries", "is empty: name at least one program that may be started");
        if (definition.Entries.Count > MaximumEntries) Add("entries", $"has more than {MaximumEntries} members");
        if (definition.Start is { } start && !definition.Entries.ContainsKey(start))
            Add("start", $"is '{start}', which is no entry point; there are {string.Join(", ", definition.Entries.Keys)}");
        foreach ((string name, EntryPoint entry) in definition.Entries)
            Entry(definition, entry, name);
        for (int index = 0; index < definition.Files.Length; index++)
            Source(definition.Files[index], $"files[{index}]");
        Network(definition.Network);
        Places(definition);
        if (definition.CoordinatorPolicy is "") Add("coordinatorPolicy", "is empty; leave it out, or name a file beside the definition");
        if (definition.Disks.Length > 0 && definition.Entries.Values.All(entry => entry.Activation != EntryActivation.Agent))
            Add("disks", "need their keys from an activation: no entry point has activation: agent");
        if (definition.Disks.Length > 0 && definition.Entries.Values.Where(entry => entry.Activation == EntryActivation.Agent).Select(entry => entry.Marble).Distinct().Count() > 1)
            Add("disks", "belong to one type of workload, and the entry points with activation: agent are of several");
    }

    private void Entry(ImageDefinition definition, EntryPoint entry, string name)
    {
        string at = $"entries.{name}";
        Name(name, at);
        if (entry.Command.IsEmpty) Add($"{at}.command", "is missing: the program's absolute path, then its arguments");
        else Path(entry.Command[0], $"{at}.command[0]");
        Path(entry.Directory, $"{at}.directory");
        if (entry.User == 0 && !definition.Debug) Add($"{at}.user", "is 0: only a debug image runs programs as root");
        foreach (string variable in entry.Environment.Keys)
            Variable(variable, $"{at}.environment.{variable}");
        foreach (string variable in entry.AllowedEnvironment)
        {
            Variable(variable, $"{at}.allowedEnvironment");
            if (entry.Environment.ContainsKey(variable)) Add($"{at}.allowedEnvironment", $"names {variable}, which environment fixes");
            if (variable.StartsWith("LD_", StringComparison.Ordinal) || variable.StartsWith("DOTNET_", StringComparison.Ordinal))
                Add($"{at}.allowedEnvironment", $"names {variable}, with which whoever starts the program could put other code into it");
        }
        Once(entry.AllowedEnvironment, $"{at}.allowedEnvironment");
        if (entry.Activation != EntryActivation.Agent) return;
        if (string.IsNullOrEmpty(entry.Marble)) Add($"{at}.marble", "is missing: the manifest's type of workload that the agent activates");
        if (definition.CoordinatorPolicy is null) Add("coordinatorPolicy", $"is missing: {at} is activated, and the machine must know by which coordinator");
    }

    private void Source(FileSource source, string at)
    {
        int kinds = (source.Directory is null ? 0 : 1) + (source.Packages.IsEmpty ? 0 : 1) + (source.Archive is null ? 0 : 1) + (source.Programs is null ? 0 : 1);
        if (kinds != 1) Add(at, "has not exactly one of directory, packages, archive, programs");
        if (source.Directory is "") Add($"{at}.directory", "is empty");
        if (source.Archive is "") Add($"{at}.archive", "is empty");
        if (source.Programs is not (null or "cloister")) Add($"{at}.programs", $"is '{source.Programs}'; known is cloister");
        if (source.Packages.Concat(source.Without).FirstOrDefault(name => !IsPackage(name)) is { } odd)
            Add(at, $"names the package '{odd}'; names have small letters, digits, '+', '-', '.'");
        if (source.Packages.Intersect(source.Without).FirstOrDefault() is { } both) Add(at, $"names the package '{both}' in packages and in without");
        if (!source.Without.IsEmpty && source.Packages.IsEmpty) Add($"{at}.without", "goes with packages only");
        Path(source.To, $"{at}.to");
        if (source.To != "/" && !source.Packages.IsEmpty) Add($"{at}.to", "is not '/': packages know their places");
        if (Reserved.FirstOrDefault(folder => GuestPath.IsWithin(source.To, folder)) is { } reserved) Add($"{at}.to", $"lies in {reserved}, which is the machine's own");
    }

    private void Network(NetworkRules network)
    {
        Once(network.Listen, "network.listen");
        Once(network.Connect, "network.connect");
        if (network.Listen.Length > MaximumPorts) Add("network.listen", $"has more than {MaximumPorts} ports");
        foreach (string target in network.Connect)
            if (target != "coordinator" && !(IPEndPoint.TryParse(target, out IPEndPoint? end) && end is { AddressFamily: AddressFamily.InterNetwork, Port: > 0 } && end.ToString() == target))
                Add("network.connect", $"holds '{target}', neither an IPv4 address with a port, such as 10.0.2.2:443, nor coordinator");
        string[] parts = network.Address.Split('/');
        if (parts.Length != 2 || !IsAddress(parts[0]) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix is < 1 or > 30)
            Add("network.address", $"is '{network.Address}', not an IPv4 address with the length of its prefix, such as 10.0.2.15/24");
        else if (network.Gateway.Length > 0 && (!IsAddress(network.Gateway) || !SameNetwork(parts[0], network.Gateway, prefix)))
            Add("network.gateway", $"is '{network.Gateway}', not an IPv4 address in {network.Address}");
    }

    private void Places(ImageDefinition definition)
    {
        var places = new List<(string Path, string At)>();
        for (int index = 0; index < definition.Mounts.Length; index++)
            places.Add((definition.Mounts[index].Path, $"mounts[{index}].path"));
        for (int index = 0; index < definition.Disks.Length; index++)
        {
            DataDisk disk = definition.Disks[index];
            places.Add((disk.Path, $"disks[{index}].path"));
            Name(disk.Name, $"disks[{index}].name");
            if (disk.Name.Length > DiskIdentity.MaxName) Add($"disks[{index}].name", $"has more than {DiskIdentity.MaxName} characters, the length of a device's serial number");
            if (!IsKey(disk.Key)) Add($"disks[{index}].key", $"is '{disk.Key}', neither file:/path nor environment:NAME");
        }
        Once(definition.Disks.Select(disk => disk.Name), "disks");
        if (definition.Disks.Length > MaximumDisks) Add("disks", $"are more than {MaximumDisks}");
        foreach ((string path, string at) in places)
        {
            Path(path, at);
            if (path is "/" or "/tmp" or "/run") Add(at, $"is {path}, which the machine makes itself");
            if (Reserved.FirstOrDefault(folder => GuestPath.IsWithin(path, folder)) is { } reserved) Add(at, $"lies in {reserved}, which is the machine's own");
        }
        for (int one = 0; one < places.Count; one++)
            for (int other = one + 1; other < places.Count; other++)
                if (GuestPath.IsWithin(places[one].Path, places[other].Path) || GuestPath.IsWithin(places[other].Path, places[one].Path))
                    Add(places[other].At, $"overlaps {places[one].At}: {places[other].Path} and {places[one].Path}");
    }

    private void Add(string at, string reason) => _problems.Add($"{at} {reason}.");

    private void Path(string path, string at)
    {
        if (GuestPath.Problem(path) is { } problem) Add(at, problem);
    }

    private void Name(string name, string at)
    {
        if (name.Length is 0 or > MaximumName || name[0] == '-' || !name.All(one => char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one) || one == '-'))
            Add(at, $"is '{name}': a name has 1 to {MaximumName} small letters, digits and dashes, and begins with no dash");
    }

    private void Variable(string name, string at)
    {
        if (!IsVariable(name)) Add(at, $"is '{name}', not a variable's name");
    }

    private void Once<T>(IEnumerable<T> values, string at)
    {
        if (values.GroupBy(value => value).FirstOrDefault(group => group.Count() > 1) is { } twice) Add(at, $"names {twice.Key} twice");
    }

    private static bool IsVariable(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(one => char.IsAsciiLetterOrDigit(one) || one == '_');

    private static bool IsKey(string key) =>
        (key.StartsWith("file:", StringComparison.Ordinal) && GuestPath.Problem(key["file:".Length..]) is null && key != "file:/")
        || (key.StartsWith("environment:", StringComparison.Ordinal) && IsVariable(key["environment:".Length..]));

    // Not a dash at the end: apt would take that for "remove".
    private static bool IsPackage(string name) =>
        name.Length is > 1 and <= 128 && char.IsAsciiLetterOrDigit(name[0]) && name[^1] != '-' && name.All(one => char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one) || one is '+' or '-' or '.');

    private static bool IsAddress(string text) => IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;

    private static bool SameNetwork(string one, string other, int prefix)
    {
        static uint Bits(string text) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(IPAddress.Parse(text).GetAddressBytes());
        return (Bits(one) ^ Bits(other)) >> (32 - prefix) == 0;
    }
}
