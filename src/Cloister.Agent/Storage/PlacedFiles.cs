using System.Security.Cryptography;
using System.Text;
using Cloister.Agent.Interop;
using Cloister.Images;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Storage;

/// <summary>
/// Puts files into memory for one user: 0600, whole or not at all, only below the given folders. The path is walked folder by folder, so that
/// no link that a program planted leads a secret elsewhere.
/// </summary>
/// <param name="roots">The folders that are memory.</param>
internal sealed class PlacedFiles(IReadOnlyList<string> roots)
{
    private const int LongestPath = 1024;

    /// <summary>Writes one file. Folders on the way are made 0700 for the same user.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.FileNotPlaced"/>, with the path.</exception>
    public void Write(string path, ReadOnlySpan<byte> content, int user)
    {
        string root = RootOf(path);
        string[] parts = path[(root.Length + 1)..].Split('/');
        try
        {
            SafeFileHandle folder = FileCalls.OpenFolder(root, root);
            try
            {
                foreach (string part in parts[..^1])
                {
                    SafeFileHandle next = Enter(folder, part, user);
                    folder.Dispose();
                    folder = next;
                }
                WriteWhole(folder, parts[^1], content, user);
            }
            finally
            {
                folder.Dispose();
            }
        }
        catch (Exception failed) when (failed is KernelException or IOException)
        {
            throw Refused(path, failed.Message, failed);
        }
    }

    // The innermost folder of memory that the path lies in.
    private string RootOf(string path)
    {
        if (path.Length > LongestPath || !path.StartsWith('/') || path.Split('/')[1..].Any(part => part is "" or "." or "..") || path.Contains('\0', StringComparison.Ordinal))
            throw Refused(path, "it is not the absolute path of a file");
        return roots.Where(root => path.StartsWith(root + "/", StringComparison.Ordinal)).MaxBy(root => root.Length)
            ?? throw Refused(path, $"it is not in memory; files go below {string.Join(", ", roots)}");
    }

    private static SafeFileHandle Enter(SafeFileHandle folder, string name, int user)
    {
        if (FileCalls.mkdirat(folder, name, FileCalls.OwnerFolder) == 0)
        {
            SafeFileHandle made = FileCalls.OpenAt(folder, name, FileCalls.Directory | FileCalls.NoFollow, 0, name);
            KernelException.Check(FileCalls.fchown(made, user, user), "fchown", name);
            return made;
        }
        return FileCalls.OpenAt(folder, name, FileCalls.Directory | FileCalls.NoFollow, 0, name);
    }

    private static void WriteWhole(SafeFileHandle folder, string name, ReadOnlySpan<byte> content, int user)
    {
        string aside = "." + RandomNumberGenerator.GetHexString(16, lowercase: true);
        using (SafeFileHandle file = FileCalls.OpenAt(folder, aside, FileCalls.WriteOnly | FileCalls.Create | FileCalls.Exclusive | FileCalls.NoFollow, FileCalls.OwnerOnly, name))
        {
            try
            {
                RandomAccess.Write(file, content, 0);
                KernelException.Check(FileCalls.fchown(file, user, user), "fchown", name);
                KernelException.Check(FileCalls.renameat(folder, aside, folder, name), "renameat", name);
            }
            catch
            {
                _ = FileCalls.unlinkat(folder, aside, 0);
                throw;
            }
        }
    }

    private static ImageException Refused(string path, string why, Exception? inner = null) =>
        new(ImageError.FileNotPlaced, $"The file '{Shown(path)}' was not written: {why}.", inner);

    // A path that a manifest brought may hold anything.
    private static string Shown(string path)
    {
        var shown = new StringBuilder();
        foreach (char letter in path.AsSpan(0, Math.Min(path.Length, 200)))
            shown.Append(char.IsControl(letter) ? '?' : letter);
        return shown.ToString();
    }
}
