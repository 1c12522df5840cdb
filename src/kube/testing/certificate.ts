/** Certificates made on the spot, so that no key lies in the repository and none runs out. Just enough DER for X.509 v3. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const bits = (bytes: Buffer) => der(0x03, Buffer.from([0]), bytes);
const utcTime = (at: Date) => der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
const name = (common: string) => sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(common)))));
const extension = (oid: string, value: Buffer) => sequence(Buffer.from(oid, 'hex'), der(0x04, value));

/** ecdsa-with-SHA256 */
const ALGORITHM = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly common: string;
}

export interface CertificateRequest {
  readonly common: string;
  /** Default: signs itself, as an authority. */
  readonly issuer?: TestCertificate;
  readonly dnsNames?: readonly string[];
  /** IPv4 */
  readonly addresses?: readonly string[];
  readonly expires?: Date;
}

let serial = 1;

export function testCertificate(request: CertificateRequest): TestCertificate {
  const { common, issuer, dnsNames = [], addresses = [], expires = new Date(Date.now() + 86_400_000) } = request;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: KeyObject = issuer ? createPrivateKey(issuer.key) : privateKey;
  const names = [
    ...dnsNames.map((dns) => der(0x82, Buffer.from(dns))),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const authority = extension('0603551d13', sequence(...(issuer ? [] : [Buffer.from('0101ff', 'hex')])));
  const body = sequence(
    der(0xa0, Buffer.from('020102', 'hex')),
    der(0x02, Buffer.from([serial++ & 0x7f])),
    ALGORITHM,
    name(issuer?.common ?? common),
    sequence(utcTime(new Date(Date.now() - 86_400_000 * 30)), utcTime(expires)),
    name(common),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(authority, ...(names.length > 0 ? [extension('0603551d11', sequence(...names))] : []))),
  );
  const whole = sequence(body, ALGORITHM, bits(sign('sha256', body, signer)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    common,
  };
}
