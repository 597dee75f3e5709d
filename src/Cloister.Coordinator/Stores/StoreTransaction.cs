using System.Text;
using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

/// <summary>What a commit demands and what it writes. Naming the same key twice: the later write holds.</summary>
public sealed class StoreTransaction
{
    /// <summary>The longest record name, in UTF-8 bytes.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>The largest value, in bytes.</summary>
    public const int MaxValueBytes = 64 << 20;

    private readonly Dictionary<string, long> _required = [];
    private readonly Dictionary<string, ReadOnlyMemory<byte>?> _writes = [];

    /// <summary>Versions that must be current for the commit to happen; 0 means that no such record exists.</summary>
    public IReadOnlyDictionary<string, long> Required => _required;

    /// <summary>New values by name; null deletes.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>?> Writes => _writes;

    /// <summary>Stores that seal take this data key from this commit on and seal everything anew under it; null to keep theirs. Stays the caller's to zero.</summary>
    internal SecretBytes? NewKey { get; set; }

    /// <summary>What this commit replaces is to be gone from the disk, whatever else that costs.</summary>
    internal bool LeavesNothingBehind { get; set; }

    /// <summary>From this commit on nothing is to reach a disk, and what is there goes.</summary>
    internal bool ForgetOnDisk { get; set; }

    /// <summary>Commits only if the record still has this version (0: still does not exist).</summary>
    public StoreTransaction Require(string key, long version)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        _required[CheckKey(key)] = version;
        return this;
    }

    /// <summary>Writes a record.</summary>
    public StoreTransaction Put(string key, ReadOnlyMemory<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, MaxValueBytes, nameof(value));
        _writes[CheckKey(key)] = value;
        return this;
    }

    /// <summary>Removes a record; one that does not exist is no error.</summary>
    public StoreTransaction Delete(string key)
    {
        _writes[CheckKey(key)] = null;
        return this;
    }

    private static string CheckKey(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (Encoding.UTF8.GetByteCount(key) > MaxKeyBytes)
            throw new ArgumentException($"A record's name has at most {MaxKeyBytes} bytes.", nameof(key));
        return key;
    }
}
