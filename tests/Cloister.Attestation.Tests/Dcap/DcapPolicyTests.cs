using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Dcap;

/// <summary>Policies for TDX and SGX as JSON: written and read back the same; what is missing, misspelt or too lax to write is refused.</summary>
public sealed class DcapPolicyTests
{
    private static readonly string Tdx = Encoding.UTF8.GetString(PolicyWriter.Write(DcapPolicies.Tdx)), Sgx = Encoding.UTF8.GetString(PolicyWriter.Write(DcapPolicies.Sgx));

    [Fact]
    public void Policies_are_written_and_read_back()
    {
        TcbPolicy lax = DcapPolicies.Tcb with { Advisories = null, EvaluationDataNumber = Requirement.Any<long>(), GraceDays = 30, Trailing = TrailingBytes.Zeros, Statuses = [TcbStatus.UpToDate, TcbStatus.NotEvaluated] };
        TeePolicy[] policies =
        [
            DcapPolicies.Tdx,
            DcapPolicies.Sgx,
            DcapPolicies.Tdx with { Tcb = lax, Rtmr3 = Requirement.Any<string>(), Xfam = BitRequirement.Any, MrTd = Requirement.OneOf(new string('1', 96), new string('2', 96)) },
            DcapPolicies.Sgx with { Tcb = lax, Svn = Requirement.OneOf(1L, 2L), ProductId = Requirement.Any<long>(), Flags = new BitRequirement(5, 0x85) },
        ];
        foreach (TeePolicy policy in policies)
        {
            byte[] written = PolicyWriter.Write(policy);
            Outcome<PackagePolicy> read = PolicyReader.Read(written);
            Assert.True(read.IsAccepted, $"{read.Field}: {read.Reason}");
            Assert.Equal(policy.GetType(), read.Value.GetType());
            Assert.Equal(written, PolicyWriter.Write(read.Value));
            Mutations.Bounded(written, PolicyReader.Fuzz, 300);
        }
    }

    [Theory]
    [InlineData("\"Debug\":false,", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Debug\":false", "\"Debug\":false,\"Debug\":false", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"Debug\":false", "\"debug\":false", Refusal.PolicyMemberUnknown)]
    [InlineData("\"Debug\":false", "\"Debug\":0", Refusal.PolicyMalformed)]
    [InlineData("\"Required\":\"0x0000000010000000\"", "\"Required\":\"0x10000000\"", Refusal.PolicyMalformed)]
    [InlineData("\"Required\":\"0x0000000010000000\"", "\"Required\":\"0x0000000010000001\"", Refusal.PolicyMalformed)]
    [InlineData("\"GraceDays\":0", "\"GraceDays\":-1", Refusal.PolicyMalformed)]
    [InlineData("\"GraceDays\":0", "\"GraceDays\":0.5", Refusal.PolicyMalformed)]
    [InlineData("\"Trailing\":\"None\"", "\"Trailing\":\"none\"", Refusal.PolicyMalformed)]
    [InlineData("[\"UpToDate\"]", "[]", Refusal.PolicyEmpty)]
    [InlineData("[\"UpToDate\"]", "[\"Revoked\"]", Refusal.PolicyMalformed)]
    [InlineData("[\"UpToDate\"]", "[\"NotSupported\"]", Refusal.PolicyMalformed)]
    [InlineData("[\"UpToDate\"]", "[\"uptodate\"]", Refusal.PolicyMalformed)]
    [InlineData("\"Advisories\":[]", "\"Advisories\":{\"Any\":false}", Refusal.PolicyMalformed)]
    [InlineData("\"EvaluationDataNumber\":{\"AtLeast\":19}", "\"EvaluationDataNumber\":{\"AtMost\":19}", Refusal.PolicyMemberUnknown)]
    [InlineData("\"Tcb\":{", "\"Tcb\":[],\"X\":{", Refusal.PolicyMemberUnknown)]
    public void What_is_out_of_form_is_refused(string old, string with, Refusal refusal)
    {
        Assert.Contains(old, Tdx, StringComparison.Ordinal);
        Assert.Equal(refusal, PolicyReader.Read(Encoding.UTF8.GetBytes(Tdx.Replace(old, with, StringComparison.Ordinal))).Refusal);
    }

    [Fact]
    public void Digests_have_their_size_and_no_order()
    {
        Assert.Equal(Refusal.PolicyDigestInvalid, PolicyReader.Read(Encoding.UTF8.GetBytes(Sgx.Replace("\"MrSigner\":\"bb", "\"MrSigner\":\"", StringComparison.Ordinal))).Refusal);
        Assert.Equal(Refusal.PolicyDigestInvalid, PolicyReader.Read(Encoding.UTF8.GetBytes(Sgx.Replace("\"MrSigner\":\"bb", "\"MrSigner\":\"BB", StringComparison.Ordinal))).Refusal);
        Assert.Throws<ArgumentException>(() => PolicyWriter.Write(DcapPolicies.Tdx with { MrTd = Requirement.AtLeast("00") }));
        Assert.Throws<ArgumentException>(() => PolicyWriter.Write(DcapPolicies.Tdx with { Tcb = DcapPolicies.Tcb with { Statuses = [TcbStatus.Revoked] } }));
    }

    [Fact]
    public void A_policy_for_another_kind_is_refused()
    {
        var claims = new Claims(TeeKind.Tdx, false, "", []);
        Assert.Equal(Refusal.TeeNotNamed, new TdxAppraiser().Judge(claims, DcapPolicies.Sgx, VerificationTime.NoTimeCheck)[0].Refusal);
        Assert.Throws<ArgumentException>(() => new SgxAppraiser().Judge(claims, DcapPolicies.Sgx, VerificationTime.NoTimeCheck));
    }
}
