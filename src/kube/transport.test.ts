import http from 'node:http';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../lib/log.ts';
import { anonymousAccess, type ClusterAccess, fixedCredential } from './access.ts';
import { KubeError } from './client.ts';
import { connect } from './request.ts';
import { testCertificate } from './testing/certificate.ts';
import { fakeServer, sendJson } from './testing/fake-server.ts';

const authority = testCertificate({ common: 'test authority' });
const served = testCertificate({ common: 'apiserver', issuer: authority, addresses: ['127.0.0.1'], dnsNames: ['kubernetes'] });

function read(access: ClusterAccess): Promise<unknown> {
  return connect(access, { userAgent: 'x', log: silentLog }).json({ method: 'GET', path: '/' });
}

function trusting(url: string, tls: Partial<ClusterAccess['tls']> = {}): ClusterAccess {
  return {
    ...anonymousAccess(url),
    tls: { authority: authority.cert, authoritySource: 'the authority of cluster c', insecure: false, ...tls },
  };
}

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof KubeError)) throw new Error(`no KubeError but ${String(error)}`);
  return error;
}

describe('TLS', () => {
  it('trusts the authority of the cluster, and names it when the server has another', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 200, { ok: true }), served);
    expect(await read(trusting(server.url))).toEqual({ ok: true });
    const other = testCertificate({ common: 'another authority' });
    const error = await errorOf(read(trusting(server.url, { authority: other.cert })));
    expect(error).toMatchObject({ code: 0, reason: 'Tls' });
    expect(error.message).toContain(`cannot trust ${server.url}: its certificate is not signed by the authority of cluster c`);
    expect(await read(trusting(server.url, { authority: other.cert, insecure: true }))).toEqual({ ok: true });
  });

  it('verifies tls-server-name instead of the address', async () => {
    const named = testCertificate({ common: 'apiserver', issuer: authority, dnsNames: ['kubernetes'] });
    await using server = await fakeServer((_, response) => sendJson(response, 200, { ok: true }), named);
    const error = await errorOf(read(trusting(server.url)));
    expect(error.message).toContain('its certificate is for other names (DNS:kubernetes); set tls-server-name');
    expect(await read(trusting(server.url, { serverName: 'kubernetes' }))).toEqual({ ok: true });
  });

  it('says that a certificate has expired', async () => {
    const old = testCertificate({
      common: 'x',
      issuer: authority,
      addresses: ['127.0.0.1'],
      expires: new Date(Date.now() - 86_400_000),
    });
    await using server = await fakeServer((_, response) => sendJson(response, 200, {}), old);
    expect((await errorOf(read(trusting(server.url)))).message).toContain('its certificate has expired');
  });

  it('says that a plain HTTP port does not speak TLS', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 200, {}));
    expect((await errorOf(read(trusting(server.url.replace('http:', 'https:'))))).message).toContain('it does not speak TLS');
  });

  it('shows the client certificate, and the new one after it was rotated', async () => {
    const names: string[] = [];
    const tls = { ...served, requestCert: true, ca: authority.cert };
    await using server = await fakeServer((request, response) => {
      names.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      sendJson(response, 200, {});
    }, tls);
    const certificates = ['first', 'second'].map((common) => testCertificate({ common, issuer: authority }));
    let at = 0;
    const credentials = {
      ...fixedCredential('x', {}),
      current: async () => ({ certificate: certificates[at]?.cert ?? '', key: certificates[at]?.key ?? '' }),
    };
    const client = connect({ ...trusting(server.url), credentials }, { userAgent: 'x', log: silentLog });
    await client.json({ method: 'GET', path: '/' });
    at = 1;
    await client.json({ method: 'GET', path: '/' });
    expect(names).toEqual(['first', 'second']);
    client.close();
  });
});

describe('a proxy', () => {
  /** Tunnels CONNECT requests, or refuses them. */
  async function proxyServer(answer: number) {
    const targets: [string | undefined, string | undefined][] = [];
    const proxy = http.createServer();
    proxy.on('connect', (request, socket) => {
      targets.push([request.url, request.headers['proxy-authorization']]);
      if (answer !== 200) {
        socket.end(`HTTP/1.1 ${answer} No\r\n\r\n`);
        return;
      }
      const [host, port] = (request.url ?? '').split(':');
      const upstream = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as net.AddressInfo;
    return { host: `127.0.0.1:${port}`, targets, close: () => proxy.close() };
  }

  it('is asked for a tunnel, in which TLS is verified as without it', async () => {
    await using server = await fakeServer((_, response) => sendJson(response, 200, { ok: true }), served);
    const proxy = await proxyServer(200);
    const through = { ...trusting(server.url), proxy: `http://jo:p%40ss@${proxy.host}` };
    expect(await read(through)).toEqual({ ok: true });
    expect(proxy.targets).toEqual([[`127.0.0.1:${server.port}`, `Basic ${Buffer.from('jo:p@ss').toString('base64')}`]]);
    const other = testCertificate({ common: 'another authority' });
    expect((await errorOf(read({ ...through, tls: { ...through.tls, authority: other.cert } }))).reason).toBe('Tls');
    proxy.close();
  });

  it('that refuses or is not there is named without its password', async () => {
    const proxy = await proxyServer(407);
    const access = { ...trusting('https://cluster.example:6443'), proxy: `http://jo:hunter2@${proxy.host}` };
    const refused = await errorOf(read(access));
    expect(refused.message).toBe(
      `cannot reach https://cluster.example:6443: the proxy http://${proxy.host} answered 407 to CONNECT cluster.example:6443`,
    );
    proxy.close();
    expect((await errorOf(read(access))).message).toContain(`the proxy http://${proxy.host} cannot be reached (ECONNREFUSED)`);
  });
});
