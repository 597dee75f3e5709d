using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Cloister.Agent.Interop;
using Cloister.Images;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Programs;

/// <summary>
/// Starts a process by posix_spawn(3): a session of its own, signals as a fresh process has them, no file of the agent but three streams.
/// Not by <see cref="System.Diagnostics.Process"/>: that reaps its own children only, and process 1 reaps everybody's.
/// </summary>
internal static unsafe class Spawning
{
    /// <summary>Starts it and answers its process number.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ProgramStart"/>, with the reason.</exception>
    public static int Start(ProgramStart start, ProgramEnvironment environment, SafeFileHandle input, SafeFileHandle output, SafeFileHandle error)
    {
        byte* actions = stackalloc byte[ProcessCalls.OpaqueSize], attributes = stackalloc byte[ProcessCalls.OpaqueSize], signals = stackalloc byte[ProcessCalls.OpaqueSize];
        Require(ProcessCalls.posix_spawn_file_actions_init(actions), start);
        Require(ProcessCalls.posix_spawnattr_init(attributes), start);
        using Vector arguments = new([.. start.Arguments.Select(Text)]), variables = new(environment.Entries);
        try
        {
            Require(ProcessCalls.posix_spawn_file_actions_addchdir_np(actions, start.Directory), start);
            Require(ProcessCalls.posix_spawn_file_actions_adddup2(actions, input, 0), start);
            Require(ProcessCalls.posix_spawn_file_actions_adddup2(actions, output, 1), start);
            Require(ProcessCalls.posix_spawn_file_actions_adddup2(actions, error, 2), start);
            Require(ProcessCalls.posix_spawnattr_setflags(attributes, ProcessCalls.SignalDefaults | ProcessCalls.SignalMask | ProcessCalls.NewSession), start);
            Require(ProcessCalls.sigfillset(signals), start);
            Require(ProcessCalls.posix_spawnattr_setsigdefault(attributes, signals), start);
            Require(ProcessCalls.sigemptyset(signals), start);
            Require(ProcessCalls.posix_spawnattr_setsigmask(attributes, signals), start);
            Require(ProcessCalls.posix_spawn(out int process, start.File, actions, attributes, arguments.Pointers, variables.Pointers), start);
            return process;
        }
        finally
        {
            _ = ProcessCalls.posix_spawnattr_destroy(attributes);
            _ = ProcessCalls.posix_spawn_file_actions_destroy(actions);
        }
    }

    private static byte[] Text(string argument) => !argument.Contains('\0', StringComparison.Ordinal)
        ? Encoding.UTF8.GetBytes(argument + '\0')
        : throw new ImageException(ImageError.ProgramStart, "An argument holds a zero byte.");

    private static void Require(int number, ProgramStart start)
    {
        if (number != 0)
            throw new ImageException(ImageError.ProgramStart, $"'{start.File}' in '{start.Directory}' could not be started: {Marshal.GetPInvokeErrorMessage(number)} ({number}).");
    }

    /// <summary>A vector of zero-ended texts outside the managed heap, zeroed when it was used.</summary>
    private sealed class Vector : IDisposable
    {
        private readonly byte* _content;
        private readonly int _length;

        public Vector(IReadOnlyCollection<byte[]> texts)
        {
            _length = texts.Sum(text => text.Length);
            Pointers = (byte**)NativeMemory.Alloc((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
            _content = (byte*)NativeMemory.Alloc((nuint)_length + 1);
            byte* next = _content;
            int i = 0;
            foreach (byte[] text in texts)
            {
                text.CopyTo(new Span<byte>(next, text.Length));
                Pointers[i++] = next;
                next += text.Length;
            }
            Pointers[i] = null;
        }

        public byte** Pointers { get; }

        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(_content, _length));
            NativeMemory.Free(_content);
            NativeMemory.Free(Pointers);
        }
    }
}
