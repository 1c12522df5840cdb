/** Servers of the other side for the tests of channels: they note what they are told and answer as the test says. */
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTlsServer } from 'node:tls';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface Received {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
  /** Nothing is answered, until the server is closed. */
  readonly silent?: boolean;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** The next request that nobody has taken yet. */
  next(): Promise<Received>;
  /** How further requests are answered; default 200 with "ok". */
  answer(reply: Reply | ((request: Received) => Reply)): void;
  close(): Promise<void>;
}

const sockets = new WeakMap<Server, Set<Socket>>();

async function listen(server: Server): Promise<number> {
  const open = new Set<Socket>();
  sockets.set(server, open);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  for (const socket of sockets.get(server) ?? []) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** @param tls in PEM; without, plain HTTP */
export async function startReceiver(tls?: { readonly cert: string; readonly key: string }): Promise<Receiver> {
  const received: Received[] = [];
  const waiting: ((request: Received) => void)[] = [];
  let taken = 0;
  let reply: (request: Received) => Reply = () => ({});
  const handle: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const noted = { method, path, headers, body };
      received.push(noted);
      const { status = 200, headers: own = {}, body: text = 'ok', silent = false } = reply(noted);
      if (!silent) {
        response.writeHead(status, own);
        response.end(typeof text === 'string' ? text : JSON.stringify(text));
      }
      const waiter = waiting.shift();
      if (waiter) {
        taken += 1;
        waiter(noted);
      }
    });
  };
  const server = tls ? createHttpsServer(tls, handle) : createHttpServer(handle);
  const port = await listen(server);
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    received,
    next() {
      const there = received[taken];
      if (!there) return new Promise((resolve) => waiting.push(resolve));
      taken += 1;
      return Promise.resolve(there);
    },
    answer(next) {
      reply = typeof next === 'function' ? next : () => next;
    },
    close: () => close(server),
  };
}

export interface Proxy {
  readonly url: string;
  /** "127.0.0.1:4711 Basic dXNlcjpwYXNz", of each CONNECT. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A proxy that lets through only who has this login, as "user:password". */
export async function startProxy(login: string): Promise<Proxy> {
  const asked: string[] = [];
  const server = createHttpServer();
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const given = request.headers['proxy-authorization'] ?? '';
    asked.push(`${request.url} ${given}`);
    if (given !== `Basic ${Buffer.from(login).toString('base64')}`) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const server = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, asked, close: () => close(server) };
}

export interface MailServer {
  readonly port: number;
  /** Whole messages, as they came. */
  readonly mails: readonly { readonly from: string; readonly to: readonly string[]; readonly text: string }[];
  /** Decoded AUTH PLAIN, NUL as space. */
  readonly logins: readonly string[];
  /** Answers instead of the usual: by the first word of a command. "" says nothing at all. */
  answer(replies: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

/** SMTP that offers AUTH PLAIN. @param tls in PEM: encrypted from the start; without, never */
export async function startMailServer(tls?: { readonly cert: string; readonly key: string }): Promise<MailServer> {
  const mails: { from: string; to: string[]; text: string }[] = [];
  const logins: string[] = [];
  let replies: Readonly<Record<string, string>> = {};
  const talk = (socket: Socket) => {
    let buffer = '';
    let data: string[] | null = null;
    let mail = { from: '', to: [] as string[], text: '' };
    const say = (line: string) => void (line !== '' && socket.write(`${line}\r\n`));
    say(replies['GREETING'] ?? '220 mail.test ESMTP');
    const command = (line: string) => {
      const [word = ''] = line.toUpperCase().split(/[ :]/);
      const own = replies[word];
      if (own !== undefined) return say(own);
      if (word === 'EHLO') return say('250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN');
      if (word === 'STARTTLS') return say('502 not here');
      if (word === 'AUTH') {
        logins.push(
          Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString()
            .replaceAll('\0', ' ')
            .trim(),
        );
        return say('235 welcome');
      }
      if (word === 'MAIL') mail = { from: line.slice(10), to: [], text: '' };
      if (word === 'RCPT') mail.to.push(line.slice(8));
      if (word === 'DATA') {
        data = [];
        return say('354 go on');
      }
      return say(word === 'QUIT' ? '221 bye' : '250 ok');
    };
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString();
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (!data) command(line);
        else if (line === '.') {
          mails.push({ ...mail, text: data.join('\n') });
          data = null;
          say(replies['END'] ?? '250 queued');
        } else data.push(line);
      }
    });
  };
  const server = tls ? createTlsServer(tls, talk) : createTcpServer(talk);
  server.on('tlsClientError', () => {}); // who does not trust it hangs up
  const port = await listen(server);
  return {
    port,
    mails,
    logins,
    answer(next) {
      replies = next;
    },
    close: () => close(server),
  };
}
