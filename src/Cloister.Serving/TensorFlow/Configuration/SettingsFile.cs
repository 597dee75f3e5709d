using Cloister.Serving.TextFormat;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>A settings file on disk: read whole, with a cap.</summary>
internal static class SettingsFile
{
    /// <summary>Reads the file.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsUnreadable"/>, or <see cref="ServingError.SettingsMalformed"/> where it is too large.</exception>
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 4096, useAsync: true);
            byte[] bytes = new byte[TextParser.MaximumBytes + 1];
            int read = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
            if (read == bytes.Length) throw new ServingException(ServingError.SettingsMalformed, $"'{path}' is larger than {TextParser.MaximumBytes} bytes. Is it the right file?");
            return bytes[..read];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ServingException(ServingError.SettingsUnreadable, $"'{path}' cannot be read: {unreadable.Message}", unreadable);
        }
    }
}
