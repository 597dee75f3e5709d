using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Platform.Simulation;

/// <summary>What a simulator measures (docs/formats/simulated-report.md, "Measurement"). Equal content gives equal digests on every machine.</summary>
public static class SimulationMeasurement
{
    private const int BufferSize = 256 << 10;

    /// <summary>The digest of a folder: 32 bytes over the sorted list of relative paths and content digests.</summary>
    /// <param name="folder">A folder of regular files and folders only.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="PlatformException">It is empty, too large, unreadable, or holds links or special files.</exception>
    public static byte[] OfFolder(string folder, CancellationToken cancellation = default) => Reading(folder, () =>
    {
        MeasuredFile[] files = MeasuredFile.List(folder);
        var digests = new byte[files.Length][];
        // The largest files first, so that no core is left with a large one at the end.
        int[] order = [.. Enumerable.Range(0, files.Length).OrderByDescending(index => files[index].Length)];
        Parallel.For(0, order.Length, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
            turn => digests[order[turn]] = OfFile(files[order[turn]].FullPath, cancellation));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "cloister/simulation/folder/v1"u8);
        for (int i = 0; i < files.Length; i++)
        {
            Add(hash, files[i].RelativePath);
            Add(hash, digests[i]);
        }
        return hash.GetHashAndReset();
    });

    /// <summary>The digest of a program that starts a command: its own folder, then the command's executable and arguments.</summary>
    /// <param name="folder">The starting program's folder.</param>
    /// <param name="executable">The command's executable.</param>
    /// <param name="arguments">The command's arguments, without its name.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="PlatformException">The folder cannot be measured or the executable cannot be read.</exception>
    public static byte[] OfCommand(string folder, string executable, IReadOnlyList<string> arguments, CancellationToken cancellation = default)
    {
        byte[] program = OfFolder(folder, cancellation), command = Reading(executable, () => OfFile(executable, cancellation));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, "cloister/simulation/command/v1"u8);
        Add(hash, program);
        Add(hash, command);
        foreach (string argument in arguments)
            Add(hash, Encoding.UTF8.GetBytes(argument));
        return hash.GetHashAndReset();
    }

    private static byte[] OfFile(string path, CancellationToken cancellation)
    {
        using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long offset = 0;
            while (RandomAccess.Read(file, buffer, offset) is > 0 and int read)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                offset += read;
            }
            return hash.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> field)
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)field.Length);
        hash.AppendData(length);
        hash.AppendData(field);
    }

    private static byte[] Reading(string path, Func<byte[]> measure)
    {
        try
        {
            return measure();
        }
        catch (AggregateException several)
        {
            Exception first = several.InnerExceptions[0];
            if (first is IOException or UnauthorizedAccessException) throw Unreadable(path, first);
            ExceptionDispatchInfo.Throw(first);
            throw;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, unreadable);
        }
    }

    private static PlatformException Unreadable(string path, Exception inner) =>
        new(PlatformError.MeasurementUnreadable, $"{path} cannot be measured: {inner.Message}", inner);
}
