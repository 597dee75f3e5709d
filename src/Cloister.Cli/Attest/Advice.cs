using Cloister.Attestation;

namespace Cloister.Cli.Attest;

/// <summary>What a person can do about a check that does not hold.</summary>
internal static class Advice
{
    public static string Of(Check failed) => failed.Id switch
    {
        _ when failed.Refusal == Refusal.CollateralMissing => "Fetch what is missing from the vendor and give it beside the evidence; it is public.",
        "format" or "magic" or "type" => "The file is not what it is given as, or was cut or changed on its way. 'cloister attest inspect' says what it is.",
        "product" or "signing_key" or "chip_id" or "tcb.cert_mismatch" => "Certificate and report do not belong together: fetch the certificate for this chip at the TCB that the report states.",
        "chain" => "The certificates do not lead to a trusted root: give the right ones, or suspect the evidence.",
        "chain.expired" or "chain_expired" or "crl.expired" or "crl_expired" or "collateral_expired" => "Fetch it anew; for archived evidence, give the time of then with --at.",
        "crl" or "crl_signature" => "The revocation list is not the vendor's: fetch it from the vendor.",
        "revoked" => "The vendor withdrew this key. Nothing it signs counts any more, whatever the policy.",
        "signature" or "quote_signature" or "qe_report_signature" or "qe_report_data" => "What was signed is not what is here. Take it as an attack until you know better.",
        "report_data" or "nonce" => "Evidence for another question: replayed, or the nonce here is not the one that was sent.",
        "measurement" or "pcrs" => "Other software than the policy names. After an update of your own, write a new policy from a trusted sample; otherwise do not trust it.",
        "host_data" => "The guest was launched with another configuration than the policy names.",
        "policy.debug" => "Whoever runs the host reads all of its memory. Launch it without debug.",
        "tcb.minimum" or "tcb_status" or "tcb_level.none" or "policy.advisory" or "tdx_module" or "firmware" => "The platform lacks updates of firmware or microcode. Ask who runs it to update, or accept the state in the policy knowingly.",
        "tcb.provisional" => "The host can still go back to older firmware. Ask who runs it to commit the update.",
        "collateral.rollback" => "The collateral is of an older TCB recovery: fetch it anew.",
        "ak_binding" when failed.Refusal == Refusal.TpmNotActivated => "Evidence at rest cannot show it. Judge the machine over the wire, where coordinator and clients activate its key; here, give a policy that names the key.",
        "tpm.activation" or "ak_binding" when failed.Refusal == Refusal.TpmEndorsementNotAccepted => "A genuine TPM of another machine. Find out whose; if it is yours, add its certificate's digest to Certificates.",
        "tpm.activation" => "The machine did not show that its key is in a TPM of the named authorities: name the authority that issued its certificate, or suspect it.",
        "ak_binding" => "Nothing says that a TPM holds this key: enrol it by credential activation, or give its certificate.",
        "pcr_selection" => "Ask for a quote over the PCRs that the policy names.",
        "pcr_digest" or "replay" or "event_data" => "Values or log were changed, or are of another boot: fetch them together with the quote.",
        "policy.evidence" => "The policy is for another kind of evidence.",
        _ => "Compare the value with what the policy asks (docs/formats/policy.md).",
    };
}
