/**
 * `npm run beds`: builds every program of the test beds from its Go module into the cache folder (versions.ts), then says
 * which beds can run here. What is already there is left alone.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findBeds, kubebuilderProgram, kubebuilderPrograms } from './binaries.ts';
import { startTime } from './processes.ts';
import { appSource, cacheFolder, crdFolder, crdModules, folderOf, kubernetesPrograms, versions } from './versions.ts';

const LDFLAGS = '-s -w';

function go(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const result = spawnSync('go', args, {
    cwd,
    env: { ...process.env, CGO_ENABLED: '0', ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`go ${args[0]} failed (${result.signal ?? `exit code ${result.status}`}); its message is above`);
}

function checkGo(): void {
  const found = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /^go(\d+)\.(\d+)/.exec(found.stdout ?? '') ?? [];
  // from 1.21 on, go fetches the newer toolchain that a module asks for by itself
  if (Number(major) > 1 || Number(minor) >= 21) return;
  const has = found.error ? 'there is no go in PATH' : `go is ${found.stdout.trim()}`;
  throw new Error(`${has}: install Go 1.24 or newer and run npm run beds again`);
}

interface Build {
  readonly title: string;
  readonly folder: string;
  readonly programs: readonly string[];
  /** Fills `out`; `scratch` is an empty folder for a throw-away module. */
  readonly run: (out: string, scratch: string) => void;
}

function module(folder: string, name: string): void {
  writeFileSync(join(folder, 'go.mod'), `module beds.drover.dev/${name}\n\ngo 1.21\n`);
}

interface Download {
  readonly GoMod: string;
  /** Of its unpacked files. */
  readonly Dir: string;
}

function download(cwd: string, name: string): Download {
  return JSON.parse(execFileSync('go', ['mod', 'download', '-json', name], { cwd, encoding: 'utf8' })) as Download;
}

/**
 * k8s.io/kubernetes replaces its staging modules by folders that its module zip does not carry, so `go install` refuses it.
 * As a dependency of a throw-away module, with each of those replaced by the published module of the same release, it builds.
 */
function buildKubernetes(release: string, programs: readonly string[], out: string, scratch: string): void {
  module(scratch, 'kubernetes');
  const { GoMod } = download(scratch, `k8s.io/kubernetes@v${release}`);
  const staging = [...readFileSync(GoMod, 'utf8').matchAll(/^\s*(\S+) => \.\/staging/gm)].map((match) => match[1]);
  if (staging.length === 0)
    throw new Error(`k8s.io/kubernetes v${release} names no staging modules: build.ts no longer fits this release`);
  const published = `v0.${release.slice(release.indexOf('.') + 1)}`;
  go(scratch, [
    'mod',
    'edit',
    `-require=k8s.io/kubernetes@v${release}`,
    ...staging.map((name) => `-replace=${name}=${name}@${published}`),
  ]);
  const packages = programs.map((program) => `k8s.io/kubernetes/cmd/${program}`);
  const imports = packages.map((name) => `import _ "${name}"\n`).join('');
  writeFileSync(join(scratch, 'tools.go'), `//go:build tools\n\npackage tools\n\n${imports}`);
  go(scratch, ['mod', 'tidy']);
  const [major, minor] = release.split('.');
  const version = Object.entries({ gitVersion: `v${release}`, gitMajor: major, gitMinor: minor });
  const stamp = version.map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`).join(' ');
  // one program after the other: linking all of them at once takes more memory than a small CI machine has
  for (const name of packages) {
    console.log(`  ${name}`);
    go(scratch, ['build', '-trimpath', `-ldflags=${LDFLAGS} ${stamp}`, '-o', `${out}/`, name]);
  }
}

const builds: readonly Build[] = [
  {
    title: `kubernetes ${versions.kubernetes}`,
    folder: folderOf('kubelet'),
    programs: kubernetesPrograms,
    run: (out, scratch) => buildKubernetes(versions.kubernetes, kubernetesPrograms, out, scratch),
  },
  {
    title: `kubectl ${versions['kubectl-1.32']}`,
    folder: folderOf('kubectl-1.32'),
    programs: ['kubectl-1.32'],
    run: (out, scratch) => {
      buildKubernetes(versions['kubectl-1.32'], ['kubectl'], out, scratch);
      renameSync(join(out, 'kubectl'), join(out, 'kubectl-1.32'));
    },
  },
  {
    title: `etcd ${versions.etcd}`,
    folder: folderOf('etcd'),
    programs: ['etcd'],
    run: (out, scratch) => {
      module(scratch, 'etcd');
      go(scratch, ['get', `go.etcd.io/etcd/server/v3@v${versions.etcd}`]);
      go(scratch, ['build', '-trimpath', `-ldflags=${LDFLAGS}`, '-o', join(out, 'etcd'), 'go.etcd.io/etcd/server/v3']);
    },
  },
  {
    title: `kwok ${versions.kwok}`,
    folder: folderOf('kwok'),
    programs: ['kwok'],
    run: (out, scratch) =>
      go(scratch, ['install', '-trimpath', `-ldflags=${LDFLAGS}`, `sigs.k8s.io/kwok/cmd/kwok@v${versions.kwok}`], { GOBIN: out }),
  },
  {
    title: `helm ${versions.helm}`,
    folder: folderOf('helm'),
    programs: ['helm'],
    run: (out, scratch) => {
      // what helm's own Makefile stamps: its version, and the Kubernetes that `helm template` and `helm lint` take for granted
      const [major, minor] = versions.kubernetes.split('.');
      const stamps = Object.entries({
        'internal/version.version': `v${versions.helm}`,
        'pkg/chartutil.k8sVersionMajor': major,
        'pkg/chartutil.k8sVersionMinor': minor,
        'pkg/lint/rules.k8sVersionMajor': major,
        'pkg/lint/rules.k8sVersionMinor': minor,
      });
      const stamp = stamps.map(([name, value]) => `-X helm.sh/helm/v3/${name}=${value}`).join(' ');
      go(scratch, ['install', '-trimpath', `-ldflags=${LDFLAGS} ${stamp}`, `helm.sh/helm/v3/cmd/helm@v${versions.helm}`], {
        GOBIN: out,
      });
    },
  },
  {
    title: 'the CRDs of others',
    folder: crdFolder(),
    programs: Object.values(crdModules).flatMap(({ files }) => [...files]),
    run: (out, scratch) => {
      module(scratch, 'crds');
      for (const [name, { version, folder, files }] of Object.entries(crdModules)) {
        const { Dir } = download(scratch, `${name}@${version}`);
        for (const file of files) writeFileSync(join(out, file), readFileSync(join(Dir, folder, file)));
      }
    },
  },
  {
    title: 'the test app',
    folder: folderOf('app'),
    programs: ['app'],
    run: (out, scratch) => {
      cpSync(appSource, scratch, { recursive: true });
      go(scratch, ['build', '-trimpath', `-ldflags=${LDFLAGS}`, '-o', join(out, 'app'), '.']);
    },
  },
];

/** Builds into a folder beside the wanted one and renames it, so that an interrupted build leaves nothing half done. */
function make(build: Build): void {
  if (build.programs.every((program) => existsSync(join(build.folder, program)))) {
    console.log(`${build.title}: there already`);
    return;
  }
  checkGo();
  console.log(`${build.title}: building into ${build.folder}`);
  const started = Date.now();
  const work = mkdtempSync(join(cacheFolder(), `building-${process.pid}-${startTime(process.pid)}-`));
  try {
    const [out, scratch] = [join(work, 'out'), join(work, 'scratch')];
    mkdirSync(out);
    mkdirSync(scratch);
    build.run(out, scratch);
    rmSync(build.folder, { recursive: true, force: true });
    renameSync(out, build.folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${build.title}: built in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Ctrl-C ends a build in the middle; the next one clears what it left. */
function clearBrokenBuilds(): void {
  for (const name of readdirSync(cacheFolder())) {
    const [, pid, ticks] = /^building-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid && startTime(Number(pid)) !== ticks) rmSync(join(cacheFolder(), name), { recursive: true, force: true });
  }
}

function main(): void {
  console.log(`Test beds in ${cacheFolder()}: about 8 minutes on 2 cores when nothing is there yet`);
  mkdirSync(cacheFolder(), { recursive: true });
  clearBrokenBuilds();
  const given = kubebuilderPrograms.filter((program) => kubebuilderProgram(program));
  if (given.length > 0) {
    console.log(
      `KUBEBUILDER_ASSETS gives ${given.join(', ')}; it has no kube-controller-manager, kube-scheduler or kwok, so those are built`,
    );
  }
  for (const build of builds) {
    if (build.folder === folderOf('etcd') && kubebuilderProgram('etcd')) continue;
    make(build);
  }
  for (const [name, bed] of Object.entries({ 'control-plane': findBeds().controlPlane, 'real-nodes': findBeds().realNodes })) {
    console.log(bed.available ? `${name} bed: ready` : `${name} bed: not available: ${bed.because}; get it with: ${bed.get}`);
  }
}

try {
  main();
} catch (error) {
  console.error(`npm run beds: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
