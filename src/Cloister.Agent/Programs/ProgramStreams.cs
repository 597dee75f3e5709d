using System.Buffers;
using Cloister.Agent.Interop;
using Cloister.Images.Channel;

namespace Cloister.Agent.Programs;

/// <summary>Passes a running program's streams on until it ended.</summary>
internal static class ProgramStreams
{
    private const int ChunkSize = 32 << 10;

    /// <summary>Passes on what it writes; ends with the program and whatever it left behind in its group.</summary>
    /// <param name="program">The program.</param>
    /// <param name="write">Takes what it wrote, at most 64 KiB at once.</param>
    /// <returns>Its exit code.</returns>
    public static async Task<int> PassAsync(RunningProgram program, Func<ProgramStream, ReadOnlyMemory<byte>, Task> write)
    {
        Task output = PumpAsync(program.Output, ProgramStream.Output, write), error = PumpAsync(program.Error, ProgramStream.Error, write);
        int code = await program.Ended;
        Children.Signal(program, ProcessCalls.Kill); // what it left behind would keep its streams open
        await Task.WhenAll(output, error);
        return code;
    }

    /// <summary>Writes what comes to its standard input; a program that does not read is no error.</summary>
    public static async Task FeedAsync(RunningProgram program, GuestExec exec)
    {
        if (program.Input is not { } handle) return;
        await using var stream = new FileStream(handle, FileAccess.Write, bufferSize: 0);
        try
        {
            while (await exec.ReadInputAsync(CancellationToken.None) is { } chunk)
                await stream.WriteAsync(chunk);
        }
        catch (IOException)
        {
            return; // it closed its standard input, or ended
        }
    }

    private static async Task PumpAsync(Microsoft.Win32.SafeHandles.SafeFileHandle? handle, ProgramStream from, Func<ProgramStream, ReadOnlyMemory<byte>, Task> write)
    {
        if (handle is null) return;
        await using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            while (await stream.ReadAsync(buffer) is var length and > 0)
                await write(from, buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
