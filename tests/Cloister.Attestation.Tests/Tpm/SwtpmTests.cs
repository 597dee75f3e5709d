using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>A fact that needs a software TPM and tpm2-tools, and is skipped, with the reason, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SwtpmTheoryAttribute : TheoryAttribute
{
    public SwtpmTheoryAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (string tool in new[] { "swtpm", "tpm2_activatecredential", "tpm2_quote" })
            if (!OperatingSystem.IsLinux() || !folders.Any(folder => File.Exists(Path.Combine(folder, tool)))) Skip = $"{tool} is not installed (packages swtpm, tpm2-tools).";
    }
}

/// <summary>Credentials and quotes against an independent TPM and independent tools.</summary>
public sealed class SwtpmTests
{
    [SwtpmTheory]
    [InlineData("rsa", "ecc", "ecdsa")]
    [InlineData("ecc", "rsa", "rsapss")]
    [InlineData("ecc", "rsa", "rsassa")]
    public void A_TPM_gives_up_our_credential_for_the_right_name_alone_and_its_quote_verifies(string ek, string ak, string scheme)
    {
        using var tpm = new Swtpm();
        tpm.Run("tpm2_createek", "-c", "ek.ctx", "-G", ek, "-u", "ek.pub");
        tpm.Run("tpm2_flushcontext", "-t");
        tpm.Run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", ak, "-g", "sha256", "-s", scheme, "-n", "ak.name");
        tpm.Run("tpm2_flushcontext", "-t");
        TpmPublic endorsementKey = TpmLayout.ParsePublic(tpm.ReadPublic("ek.ctx")).Value, attestationKey = TpmLayout.ParsePublic(tpm.ReadPublic("ak.ctx")).Value;
        Assert.Equal(tpm.Read("ak.name"), attestationKey.Name.ToArray());
        Assert.Null(attestationKey.AttestationKeyProblem);

        byte[] secret = [.. Enumerable.Range(7, 32).Select(i => (byte)i)];
        Assert.Equal(secret, tpm.Activate(TpmCredential.Make(endorsementKey, attestationKey.Name.Span, secret)));
        byte[] otherName = [.. attestationKey.Name.Span];
        otherName[^1] ^= 1;
        Assert.Null(tpm.Activate(TpmCredential.Make(endorsementKey, otherName, secret)));

        byte[] nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
        tpm.Run("tpm2_quote", "-c", "ak.ctx", "-l", "sha384:2+sha256:7,0,16", "-q", Convert.ToHexStringLower(nonce), "-m", "quote", "-s", "signature", "-g", "sha256", "--scheme", scheme);
        var report = new TpmReport(tpm.Read("quote"), tpm.Read("signature"), TpmKeyForm.TpmPublic, tpm.ReadPublic("ak.ctx"),
        [
            new TpmPcrValue(TpmAlgorithm.Sha256, 0, new byte[32]),
            new TpmPcrValue(TpmAlgorithm.Sha256, 7, new byte[32]),
            new TpmPcrValue(TpmAlgorithm.Sha256, 16, new byte[32]),
            new TpmPcrValue(TpmAlgorithm.Sha384, 2, new byte[48]),
        ]);
        Proof proof = TpmVerifierTests.Prove(new Evidence(TeeKind.Tpm, report.Encode(), default, default, []));
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.Equal(Convert.ToHexStringLower(attestationKey.Name.Span), proof.Claims!.Fields[TpmFields.KeyName]);
    }

    private sealed class Swtpm : IDisposable
    {
        private readonly StringBuilder _said = new();
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tpm");

        public Swtpm()
        {
            // With --daemon it returns when its sockets are there.
            Run("swtpm", "socket", "--tpm2", "--tpmstate", $"dir={_folder.FullName}", "--server", $"type=unixio,path={In("s")}", "--ctrl", $"type=unixio,path={In("s.ctrl")}",
                "--flags", "not-need-init,startup-clear", "--daemon", "--pid", $"file={In("pid")}");
        }

        public byte[] Read(string file) => File.ReadAllBytes(In(file));

        public byte[] ReadPublic(string context)
        {
            Run("tpm2_readpublic", "-c", context, "-f", "tpmt", "-o", "public");
            Run("tpm2_flushcontext", "-t");
            return Read("public");
        }

        public byte[]? Activate(TpmCredential credential)
        {
            File.WriteAllBytes(In("credential"), credential.ToToolsFile());
            Run("tpm2_startauthsession", "--policy-session", "-S", "session");
            Run("tpm2_policysecret", "-S", "session", "-c", "e");
            bool activated = Start("tpm2_activatecredential", "-c", "ak.ctx", "-C", "ek.ctx", "-i", "credential", "-o", "secret", "-P", "session:session") == 0;
            Run("tpm2_flushcontext", "session");
            Run("tpm2_flushcontext", "-t");
            return activated ? Read("secret") : null;
        }

        public void Run(string tool, params string[] arguments) => Assert.True(Start(tool, arguments) == 0, $"{tool} failed: {_said}");

        public void Dispose()
        {
            if (File.Exists(In("pid")))
            {
                using var process = Process.GetProcessById(int.Parse(File.ReadAllText(In("pid")).Trim(), CultureInfo.InvariantCulture));
                process.Kill();
                process.WaitForExit();
            }
            _folder.Delete(true);
        }

        private int Start(string tool, params string[] arguments)
        {
            var start = new ProcessStartInfo(tool, arguments) { WorkingDirectory = _folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["TPM2TOOLS_TCTI"] = $"swtpm:path={In("s")}";
            using Process process = Process.Start(start)!;
            _said.Clear();
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, line) => _said.AppendLine(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            process.WaitForExit();
            return process.ExitCode;
        }

        private string In(string name) => Path.Combine(_folder.FullName, name);
    }
}
