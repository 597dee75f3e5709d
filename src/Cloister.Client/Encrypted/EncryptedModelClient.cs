using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Client;

/// <summary>
/// Asks models that compute on ciphertexts (docs/encrypted.md). Rows and predictions are in clear in this process alone; over an
/// <see cref="AttestedHttpHandler"/> it is also certain who computes.
/// </summary>
public sealed class EncryptedModelClient : IDisposable
{
    /// <summary>The most bytes that a query for one set of rows may have: a server's specification that asks for more is refused.</summary>
    public const int MaximumQueryBytes = 64 << 20;

    private readonly ServerExchange _server;

    /// <summary>Creates a client.</summary>
    /// <param name="handler">How requests travel; disposed with this client.</param>
    /// <param name="server">The server's address, https.</param>
    /// <param name="bearerToken">The caller's token, where the manifest names callers by token.</param>
    /// <param name="options">Bounds and clock.</param>
    public EncryptedModelClient(HttpMessageHandler handler, Uri server, string? bearerToken = null, ClientOptions? options = null) =>
        _server = new ServerExchange(handler, server, bearerToken, options);

    /// <summary>Fetches what a client needs to know of a model, and holds it to what is secure and bearable.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="digest">The only digest that is accepted, hexadecimal; null to accept the one that is served.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for.</exception>
    /// <exception cref="ClientException">The server refused, or what it describes is refused: <see cref="ClientError.ModelRefused"/>.</exception>
    public async Task<ClientSpecification> DescribeAsync(string model, string? digest = null, CancellationToken cancellation = default)
    {
        byte[] json = await _server.SendAsync(HttpMethod.Get, Path(model), null, "", ClientSpecificationJson.MaximumBytes, $"the description of encrypted model '{model}'", cancellation);
        ClientSpecification specification;
        try
        {
            specification = ClientSpecificationJson.Read(json);
            // Security tables and the fit of t and layout are checked where a client is made of the specification.
            _ = ModelClients.Create(specification);
        }
        catch (HomomorphicException refusal)
        {
            throw new ClientException(ClientError.ModelRefused, $"The description of encrypted model '{model}' is refused: {RestAnswer.Printable(refusal.Message)}", refusal);
        }
        if (digest is not null && !string.Equals(digest, specification.Digest, StringComparison.OrdinalIgnoreCase))
            throw new ClientException(ClientError.ModelRefused, $"The server has model '{model}' of digest {specification.Digest}; {digest} is wanted. Nothing was encrypted.");
        if (EncryptedSession.SetBytes(specification) > MaximumQueryBytes)
            throw new ClientException(ClientError.ModelRefused, $"A query to model '{model}' would have {EncryptedSession.SetBytes(specification):N0} bytes; at most {MaximumQueryBytes:N0} are sent.");
        return specification;
    }

    /// <summary>Begins to ask a model. No request is made yet.</summary>
    /// <param name="model">The model's name on the server.</param>
    /// <param name="specification">From <see cref="DescribeAsync"/>, or kept from an earlier time.</param>
    /// <param name="key">The client's key; it may be disposed of afterwards. Null for a fresh one that is never kept.</param>
    /// <exception cref="HomomorphicException">The key is for other parameters.</exception>
    public EncryptedSession Open(string model, ClientSpecification specification, ClientKey? key = null) => new(_server, model, specification, key);

    internal static string Path(string model)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        return $"/v2/models/{Uri.EscapeDataString(model)}/encrypted";
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _server.Dispose();
}
