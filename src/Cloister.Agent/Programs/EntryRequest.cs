using System.Collections.Immutable;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Agent.Programs;

/// <summary>
/// What the host asks to start, judged by the measured definition: an entry with what it allows, or in a debug image any command. The host's
/// words choose among what the image's author allowed and add nothing to it.
/// </summary>
/// <param name="Name">The entry's name; null for a free command.</param>
/// <param name="Entry">The entry; null for a free command.</param>
/// <param name="Command">Path and arguments.</param>
/// <param name="Environment">The variables that the host sets, all of them allowed.</param>
/// <param name="Input">Whether it gets a standard input.</param>
internal sealed record EntryRequest(string? Name, EntryPoint? Entry, ImmutableArray<string> Command, ImmutableSortedDictionary<string, string> Environment, bool Input)
{
    /// <summary>The entry that starts by itself, with the host's settings.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.NotAllowed"/>.</exception>
    public static EntryRequest OfStart(ImageDefinition definition, string start, MachineSettings settings) =>
        OfEntry(definition, start, settings.Arguments, settings.Environment, input: false);

    /// <summary>What a request over the channel asks for.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.NotAllowed"/>, with what and why.</exception>
    public static EntryRequest Of(ImageDefinition definition, ExecRequest request)
    {
        if (request.Entry is { } name) return OfEntry(definition, name, request.Arguments, request.Environment, request.Input);
        if (!definition.Debug)
            throw NotAllowed($"Only entries of the image can be started ({string.Join(", ", definition.Entries.Keys)}); any command runs in a debug image alone");
        if (request.Command is not [var path, ..] || !path.StartsWith('/'))
            throw NotAllowed("A command begins with the absolute path of a program");
        return new(null, null, request.Command, request.Environment, request.Input);
    }

    /// <summary>The file that is executed, and its argument vector: for an entry its launcher, which drops every right and then executes the rest.</summary>
    public (string File, IReadOnlyList<string> Arguments) Start(string launchers) => Name is null
        ? (Command[0], Command)
        : (Path.Combine(launchers, Name), [Path.Combine(launchers, Name), .. Command]);

    private static EntryRequest OfEntry(ImageDefinition definition, string name, ImmutableArray<string> arguments, ImmutableSortedDictionary<string, string> environment, bool input)
    {
        if (!definition.Entries.TryGetValue(name, out EntryPoint? entry))
            throw NotAllowed($"The image has no entry of that name; its entries are {string.Join(", ", definition.Entries.Keys)}");
        if (arguments.Length > 0 && !entry.Arguments)
            throw NotAllowed($"The entry '{name}' takes no arguments (the definition's 'arguments' allows them)");
        if (input && !entry.Arguments && !definition.Debug)
            throw NotAllowed($"The entry '{name}' takes no standard input (the definition's 'arguments' allows arguments and input)");
        if (environment.Keys.FirstOrDefault(variable => !entry.AllowedEnvironment.Contains(variable, StringComparer.Ordinal)) is not null)
            throw NotAllowed($"The entry '{name}' allows these variables to be set: {(entry.AllowedEnvironment.IsEmpty ? "none" : string.Join(", ", entry.AllowedEnvironment))}");
        return new(name, entry, [.. entry.Command, .. arguments], environment, input);
    }

    // The host's own words are not repeated: whoever reads the message reads the image's.
    private static ImageException NotAllowed(string why) => new(ImageError.NotAllowed, why + ".");
}
