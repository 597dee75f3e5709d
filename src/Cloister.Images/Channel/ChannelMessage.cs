using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Images.Channel;

/// <summary>Reads what frames of JSON say; every text and list is bounded, and what may be shown has no control characters.</summary>
internal static class ChannelMessage
{
    private const int MaximumList = 1024, MaximumText = 128 << 10, MaximumName = 256, MaximumMessage = 8 << 10;

    public static GuestReady Ready(ReadOnlyMemory<byte> json)
    {
        GuestReady ready = Read(json, ChannelJson.Default.GuestReady);
        if (ready.Version != GuestReady.CurrentVersion)
            throw Frame.Invalid($"version {ready.Version} of the protocol; this is version {GuestReady.CurrentVersion}");
        Check(ready.Image is { Length: <= MaximumName }, "image");
        return ready with { Image = Clean(ready.Image, MaximumName), Entries = [.. Texts(ready.Entries, "entries", MaximumName).Select(name => Clean(name, MaximumName))] };
    }

    public static MachineSettings Settings(ReadOnlyMemory<byte> json)
    {
        MachineSettings settings = Read(json, ChannelJson.Default.MachineSettings);
        Check(settings.Coordinator is null or { Length: > 0 and <= MaximumName }, "coordinator");
        return settings with
        {
            DnsNames = Texts(settings.DnsNames, "dnsNames", MaximumName),
            Arguments = Texts(settings.Arguments, "arguments", MaximumText),
            Environment = Variables(settings.Environment),
        };
    }

    public static GuestEvent Event(ReadOnlyMemory<byte> json)
    {
        GuestEvent given = Read(json, ChannelJson.Default.GuestEvent);
        Check(given.Name is { Length: > 0 and <= 64 } && given.Name.All(letter => letter is (>= 'a' and <= 'z') or '-'), "name");
        Check(given.Message is not null, "message");
        ImmutableSortedDictionary<string, string> fields = given.Fields ?? ImmutableSortedDictionary<string, string>.Empty;
        Check(fields.Count <= 64, "fields");
        return new GuestEvent(given.Name, Clean(given.Message!, MaximumMessage), fields.ToImmutableSortedDictionary(field => Clean(field.Key, 64), field => Clean(field.Value ?? "", MaximumMessage), StringComparer.Ordinal));
    }

    public static ExecRequest Exec(ReadOnlyMemory<byte> json)
    {
        ExecRequest request = Read(json, ChannelJson.Default.ExecRequest);
        request = request with
        {
            Command = Texts(request.Command, "command", MaximumText),
            Arguments = Texts(request.Arguments, "arguments", MaximumText),
            Environment = Variables(request.Environment),
        };
        Check(request.Entry is null ? request.Command.Length > 0 && request.Arguments.Length == 0 : request.Entry.Length is > 0 and <= MaximumName && request.Command.Length == 0, "entry");
        return request;
    }

    public static ExecExit Exit(ReadOnlyMemory<byte> json)
    {
        ExecExit exit = Read(json, ChannelJson.Default.ExecExit);
        Check(exit.Code is null ? exit.Reason is not null : exit.Code is >= 0 and <= 255, "code");
        return exit with { Reason = exit.Reason is null ? null : Clean(exit.Reason, MaximumMessage) };
    }

    public static MachineStop Stop(ReadOnlyMemory<byte> json)
    {
        MachineStop stop = Read(json, ChannelJson.Default.MachineStop);
        Check(stop.Seconds is >= 0 and <= 3600, "seconds");
        return stop;
    }

    public static MachineStopped Stopped(ReadOnlyMemory<byte> json)
    {
        MachineStopped stopped = Read(json, ChannelJson.Default.MachineStopped);
        Check(stopped.Code is null or (>= 0 and <= 255), "code");
        return stopped with { Reason = stopped.Reason is null ? null : Clean(stopped.Reason, MaximumMessage) };
    }

    /// <summary>A text of the other side as it may be shown: no control characters (a terminal obeys them), no end that never comes.</summary>
    public static string Clean(string text, int limit)
    {
        var clean = new StringBuilder(Math.Min(text.Length, limit));
        foreach (char letter in text.AsSpan(0, Math.Min(text.Length, limit)))
            clean.Append(letter == '\n' || !char.IsControl(letter) ? letter : ' ');
        return clean.ToString();
    }

    private static T Read<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, type) ?? throw Frame.Invalid($"{typeof(T).Name} is null");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            throw Frame.Invalid($"{typeof(T).Name}: {malformed.Message}", malformed);
        }
    }

    private static ImmutableArray<string> Texts(ImmutableArray<string> list, string member, int limit)
    {
        if (list.IsDefault)
            return [];
        Check(list.Length <= MaximumList && list.All(text => text is not null && text.Length <= limit && !text.Contains('\0', StringComparison.Ordinal)), member);
        return list;
    }

    private static ImmutableSortedDictionary<string, string> Variables(ImmutableSortedDictionary<string, string>? variables)
    {
        if (variables is null)
            return ImmutableSortedDictionary<string, string>.Empty;
        Check(variables.Count <= MaximumList && variables.All(variable =>
            variable.Key.Length is > 0 and <= MaximumName && !variable.Key.AsSpan().ContainsAny('=', '\0') &&
            variable.Value is { Length: <= MaximumText } && !variable.Value.Contains('\0', StringComparison.Ordinal)), "environment");
        return variables.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    private static void Check(bool holds, string member)
    {
        if (!holds)
            throw Frame.Invalid($"member {member} is not what it should be");
    }
}
