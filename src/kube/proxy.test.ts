import { describe, expect, it } from 'vitest';
import { proxyFor } from './proxy.ts';

const env = (exceptions: string) => ({ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: exceptions });

describe('the proxy for a server', () => {
  it.each([
    ['https://a.example:6443', '', true],
    ['https://a.example:6443', 'b.example', true],
    ['https://a.example:6443', 'a.example', false],
    ['https://a.example:6443', 'A.Example ', false],
    ['https://a.example:6443', 'example', false],
    ['https://a.example:6443', '.example', false],
    ['https://a.example:6443', '*.example', false],
    ['https://aexample:6443', 'example', true],
    ['https://a.example:6443', '.a.example', true],
    ['https://a.example:6443', 'a.example:6443', false],
    ['https://a.example:6443', 'a.example:443', true],
    ['https://a.example', 'a.example:443', false],
    ['https://a.example:6443', 'x, *', false],
    ['https://10.1.2.3:6443', '10.0.0.0/8', false],
    ['https://11.1.2.3:6443', '10.0.0.0/8', true],
    ['https://10.1.2.3:6443', '10.1.2.3', false],
    ['https://[fd00::1]:6443', 'fd00::/8', false],
    ['https://[fd00::1]:6443', 'fd00::1', false],
    ['https://[fd00::1]:6443', '10.0.0.0/8,10.0.0.0/99,fd00::/x', true],
    ['https://127.0.0.1:6443', '', false],
    ['https://localhost:6443', '', false],
    ['https://[::1]:6443', '', false],
  ])('%s with NO_PROXY="%s": %s', (server, exceptions, through) => {
    expect(proxyFor(server, env(exceptions))).toBe(through ? 'http://proxy:3128' : undefined);
  });

  it('comes from the variable of the protocol, in either case, with http:// where it names none', () => {
    expect(proxyFor('https://a.example', { https_proxy: 'p:1' })).toBe('http://p:1');
    expect(proxyFor('https://a.example', { HTTP_PROXY: 'p:1' })).toBeUndefined();
    expect(proxyFor('http://a.example', { HTTP_PROXY: 'https://p:1' })).toBe('https://p:1');
    expect(proxyFor('https://a.example', { https_proxy: 'p:1', no_proxy: 'a.example' })).toBeUndefined();
  });
});
