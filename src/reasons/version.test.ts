import { describe, expect, it } from 'vitest';
import { compareVersions } from './version.ts';

describe('versions', () => {
  it.each([
    ['v1.34.2', 'v1.34.10'],
    ['1.33.9', 'v1.34.0'],
    ['v1.35.0-alpha.3', 'v1.35.0'],
    ['v1.35.0-alpha.3', 'v1.35.0-rc.1'],
    ['v1.34.1-gke.1200', 'v1.34.1-gke.1829001'],
    ['5.15.0-1073-azure', '5.15.0-1081-azure'],
    ['containerd://1.7.27', 'containerd://2.0.0'],
    ['Ubuntu 22.04.4 LTS', 'Ubuntu 22.04.5 LTS'],
    ['v1.34', 'v1.34.1'],
  ])('%s is lower than %s', (lower, higher) => {
    expect(compareVersions(lower, higher)).toBeLessThan(0);
    expect(compareVersions(higher, lower)).toBeGreaterThan(0);
  });

  it.each([
    ['v1.34.1', '1.34.1'],
    ['v1.34.1-eks-1133936', 'v1.34.1-eks-7262623'],
    ['v1.34.1+a1b2', 'v1.34.1+f0e9'],
  ])('%s and %s cannot be told apart', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(compareVersions(b, a)).toBe(0);
  });
});
