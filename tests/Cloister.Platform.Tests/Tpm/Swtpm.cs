using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.Tests.Tpm;

/// <summary>A software TPM with a socket, and tpm2-tools that use it too.</summary>
internal sealed class Swtpm : IDisposable
{
    private static readonly string[] Tools = ["swtpm", "swtpm_setup", "swtpm_ioctl", "tpm2_quote", "tpm2_checkquote", "tpm2_import"];
    private readonly StringBuilder _said = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tpm");

    /// <param name="certified">Whether a local authority certifies its endorsement keys, as the maker of a chip does.</param>
    /// <param name="banks">Its PCR banks, if certified.</param>
    /// <param name="authority">The TPM whose authority certifies this one too; its own does if null.</param>
    public Swtpm(bool certified = false, string banks = "sha256", Swtpm? authority = null)
    {
        if (certified) Certify(banks, authority?.Authority ?? Authority);
        Start();
    }

    /// <summary>Why tests of a TPM are skipped; null if they are not.</summary>
    public static string? Missing { get; } = Tools.FirstOrDefault(tool => !OperatingSystem.IsLinux() || !Folders.Any(folder => File.Exists(Path.Combine(folder, tool)))) is { } missing
        ? $"{missing} is not installed (packages swtpm, swtpm-tools, tpm2-tools)."
        : null;

    /// <summary>How the library names it.</summary>
    public string Address => "swtpm:" + In("s");

    /// <summary>The folder of its own authority: <c>issuercert.pem</c> under <c>swtpm-localca-rootca-cert.pem</c>.</summary>
    private string Authority => In("ca");

    /// <summary>The certificate of the authority that issues, DER; under it alone certificates can be checked, as no TPM stores it.</summary>
    public byte[] Issuer => PemOf("issuercert.pem");

    /// <summary>The root's certificate, DER.</summary>
    public byte[] Root => PemOf("swtpm-localca-rootca-cert.pem");

    private byte[] PemOf(string file)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Authority, file));
        return certificate.RawData;
    }

    /// <summary>What the last tool printed.</summary>
    public string Said => _said.ToString();

    private static string[] Folders => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);

    public string In(string name) => Path.Combine(_folder.FullName, name);

    public byte[] Read(string file) => File.ReadAllBytes(In(file));

    public void Write(string file, ReadOnlySpan<byte> content) => File.WriteAllBytes(In(file), content);

    /// <summary>Powers it on. With --daemon the program returns when the sockets are there.</summary>
    public void Start() => Run("swtpm", "socket", "--tpm2", "--tpmstate", $"dir={_folder.FullName}", "--server", $"type=unixio,path={In("s")}", "--ctrl", $"type=unixio,path={In("s.ctrl")}",
        "--flags", "not-need-init,startup-clear", "--daemon", "--pid", $"file={In("pid")}");

    /// <summary>Pulls its plug.</summary>
    public void Kill()
    {
        if (!File.Exists(In("pid"))) return;
        using var process = Process.GetProcessById(int.Parse(File.ReadAllText(In("pid")).Trim(), CultureInfo.InvariantCulture));
        process.Kill();
        process.WaitForExit();
        File.Delete(In("pid"));
    }

    /// <summary>Runs a tool in the folder; it must succeed.</summary>
    public void Run(string tool, params string[] arguments) => Assert.True(Try(tool, arguments), $"{tool} failed: {_said}");

    public bool Try(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { WorkingDirectory = _folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TPM2TOOLS_TCTI"] = $"swtpm:path={In("s")}";
        start.Environment["XDG_CONFIG_HOME"] = _folder.FullName;
        using Process process = Process.Start(start)!;
        _said.Clear();
        process.OutputDataReceived += (_, line) => Say(line.Data);
        process.ErrorDataReceived += (_, line) => Say(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    /// <summary>Sends one command by itself.</summary>
    public byte[] Exchange(byte[] command)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(In("s")));
        socket.Send(command);
        byte[] answer = new byte[4096];
        int length = 0;
        do
            length += socket.Receive(answer.AsSpan(length));
        while (length < 10 || length < BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(2)));
        return answer[..length];
    }

    public void Dispose()
    {
        Kill();
        _folder.Delete(true);
    }

    private void Certify(string banks, string authority)
    {
        File.WriteAllText(In("setup.conf"), $"create_certs_tool=swtpm_localca\ncreate_certs_tool_config={In("localca.conf")}\ncreate_certs_tool_options={In("options.conf")}\n");
        File.WriteAllText(In("localca.conf"), $"statedir={authority}\nsigningkey={authority}/signkey.pem\nissuercert={authority}/issuercert.pem\ncertserial={authority}/certserial\n");
        File.WriteAllText(In("options.conf"), "--platform-manufacturer Cloister\n--platform-version 1\n--platform-model Test\n");
        Directory.CreateDirectory(authority);
        Run("swtpm_setup", "--tpm2", "--tpmstate", _folder.FullName, "--create-ek-cert", "--create-platform-cert", "--lock-nvram", "--config", In("setup.conf"), "--pcr-banks", banks, "--not-overwrite");
    }

    private void Say(string? line)
    {
        lock (_said) _said.AppendLine(line);
    }
}
