using System.Security.Cryptography;
using System.Text;

namespace Cloister.Agent.Programs;

/// <summary>A program's variables as the bytes that it gets: values may be secret, so they are never strings here, and are zeroed when the program has them.</summary>
internal sealed class ProgramEnvironment : IDisposable
{
    private readonly SortedDictionary<string, byte[]> _entries = new(StringComparer.Ordinal);

    /// <summary>The names that are set.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Each variable as <c>NAME=value</c> with a zero byte behind it.</summary>
    public IReadOnlyCollection<byte[]> Entries => _entries.Values;

    /// <summary>Sets a variable; a value before it is zeroed.</summary>
    /// <exception cref="ArgumentException">Name or value cannot be a process's variable.</exception>
    public void Set(string name, ReadOnlySpan<byte> value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0')) throw new ArgumentException("The name of a variable is empty, or holds '=' or a zero byte.", nameof(name));
        if (value.Contains((byte)0)) throw new ArgumentException($"The value of the variable '{name}' holds a zero byte.", nameof(value));
        byte[] prefix = Encoding.UTF8.GetBytes(name + '=');
        byte[] entry = GC.AllocateArray<byte>(prefix.Length + value.Length + 1, pinned: true);
        prefix.CopyTo(entry, 0);
        value.CopyTo(entry.AsSpan(prefix.Length));
        if (_entries.TryGetValue(name, out byte[]? before)) CryptographicOperations.ZeroMemory(before);
        _entries[name] = entry;
    }

    /// <summary>Sets a variable that is no secret.</summary>
    /// <inheritdoc cref="Set(string, ReadOnlySpan{byte})"/>
    public void Set(string name, string value) => Set(name, Encoding.UTF8.GetBytes(value));

    public void Dispose()
    {
        foreach (byte[] entry in _entries.Values)
            CryptographicOperations.ZeroMemory(entry);
        _entries.Clear();
    }
}
