/** E-mail by SMTP. What belongs together is one thread in mail readers: the later ones name the first in References. */
import { createHash } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { parseDuration } from '../../api/duration.ts';
import type { ChannelSpec } from '../../api/notify-channel.ts';
import type { Template } from '../../api/template/parse.ts';
import { type Channel, type ChannelDeps, DeliveryError, shortened } from '../channel.ts';
import type { Notice } from '../notice.ts';
import { render } from '../template/render.ts';

type Spec = NonNullable<ChannelSpec['email']>;

const MAX_SUBJECT = 200;

export function email(spec: Spec, subject: Template | null, { clock, secret, text }: ChannelDeps): Channel {
  const timeoutMs = parseDuration(spec.timeout);
  const { ca, insecureSkipVerify, security } = spec;

  const messageOf = (notice: Notice, earlier: string | null) => {
    const body = text(notice);
    const line = subject ? render(subject, notice.markers) : (body.split('\n')[0] ?? '');
    return {
      from: spec.from,
      to: [...spec.to],
      subject: shortened(line.replaceAll(/[\r\n]+/g, ' '), MAX_SUBJECT),
      text: body,
      messageId: messageId(notice, spec.from),
      // Out-of-office answers are for people.
      headers: { 'auto-submitted': 'auto-generated' },
      ...(earlier !== null && { inReplyTo: earlier, references: [earlier] }),
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  };

  return {
    edits: false,
    resolves: false,
    async deliver(notice, earlier) {
      const login =
        spec.username === undefined || !spec.password ? null : { user: spec.username, pass: await secret(spec.password) };
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host: spec.host,
        port: spec.port,
        secure: security === 'Tls',
        requireTLS: security === 'StartTls',
        ignoreTLS: security === 'None',
        tls: { rejectUnauthorized: !insecureSkipVerify, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) },
        ...(login && { auth: login }),
      });
      const message = messageOf(notice, earlier);
      let cancel = () => {};
      const late = new Promise<never>((_, reject) => {
        cancel = clock.after(timeoutMs, () => reject(new DeliveryError(`no answer within ${spec.timeout}`, { again: true })));
      });
      try {
        await Promise.race([transport.sendMail(message), late]);
      } catch (error) {
        throw error instanceof DeliveryError ? error : smtpError(error);
      } finally {
        cancel();
        transport.close();
      }
      return earlier ?? message.messageId;
    },
    close: async () => {},
  };
}

/** The same in a repetition: most servers and readers show it once. */
function messageId({ thread, key }: Notice, from: string): string {
  const hash = createHash('sha256').update(`${thread}\n${key}`).digest('hex').slice(0, 32);
  return `<${hash}@${from.split('@')[1] ?? 'drover'}>`;
}

/** Answers of 5xx are final (RFC 5321, 4.2.1). Their words are not shown: they may repeat what was sent. */
function smtpError(error: unknown): DeliveryError {
  const { code = '', responseCode, message = '' } = error as { code?: string; responseCode?: number; message?: string };
  if (code === 'EAUTH') return new DeliveryError('the mail server refused the login', { again: false, unauthorized: true });
  if (responseCode !== undefined)
    return new DeliveryError(`the mail server answered ${responseCode}`, { again: responseCode < 500 });
  // Of a certificate that is not trusted it keeps only the words.
  if (code === 'ETLS' || /certificate|altname/i.test(message))
    return new DeliveryError('the mail server offers no encryption, or its certificate is not trusted', { again: false });
  return new DeliveryError(`no connection to the mail server (${/^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'broken'})`, {
    again: true,
  });
}
