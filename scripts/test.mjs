// `npm test`: every test project that can run here, one after the other, and one line for each that cannot. Plain Node, because in a
// fresh clone nothing is installed yet. Arguments go to vitest; DROVER_SKIP_BEDS=1 leaves out the beds; with CI=true a missing bed fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitestArgs = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
/** Told again at the very end: a log of CI is often cut at its head. */
const failures = [];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

/** True when each package of the lock file is there in its version; one that is optional may be missing (another platform's). */
function installed() {
  const packagesOf = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const found = packagesOf('node_modules/.package-lock.json');
  return Object.entries(packagesOf('package-lock.json')).every(
    ([path, wanted]) =>
      path === '' || (found[path] ? found[path].version === wanted.version : wanted.optional || wanted.devOptional),
  );
}

function prepare() {
  if (!installed()) {
    console.log('node_modules is missing or out of date: npm ci');
    if (run('npm', ['ci']) !== 0) throw new Error('npm ci failed; its message is above');
  }
  // The scenarios run what is built; it takes a fraction of a second.
  if (run(process.execPath, ['scripts/build.mjs']) !== 0) throw new Error('the build failed; its message is above');
}

const firstLines = (text = '') => text.slice(0, 600).split('\n').slice(0, 6).join('\n    ');

/** vitest's own counts, plus one failure for each file that could not be loaded: no test of it is counted. */
function countsOf(reportPath) {
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0)
      failures.push(`${file.name}: ${firstLines(file.message)}`);
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      if (status === 'failed') failures.push(`${file.name}: ${fullName}: ${firstLines(failureMessages[0])}`);
    }
  }
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function runProject(name) {
  console.log(`\n== ${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'drover-test-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    // a filter that names a file of one project must not fail the others
    const none = vitestArgs.length > 0 ? ['--passWithNoTests'] : [];
    const status = run(process.execPath, [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      name,
      ...reporters,
      ...none,
      ...vitestArgs,
    ]);
    const counts = existsSync(report) ? countsOf(report) : { passed: 0, failed: 0, skipped: 0 };
    // an unhandled error or a crash: no test has failed, and yet the run has
    if (status !== 0 && counts.failed === 0) counts.failed = 1;
    for (const key of Object.keys(totals)) totals[key] += counts[key];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bedProjects() {
  if (process.env.DROVER_SKIP_BEDS === '1') {
    for (const name of ['simulated', 'control-plane', 'real-nodes']) console.log(`not run: ${name} bed: DROVER_SKIP_BEDS=1`);
    return [];
  }
  const { tsImport } = await import('tsx/esm/api');
  const { findBeds } = await tsImport('../test/beds/binaries.ts', import.meta.url);
  const { simulated, controlPlane, realNodes } = findBeds();
  const runnable = [];
  for (const [name, bed] of Object.entries({ simulated, 'control-plane': controlPlane, 'real-nodes': realNodes })) {
    if (bed.available) {
      runnable.push(name);
      continue;
    }
    console.log(`not run: ${name} bed: ${bed.because}; get it with: ${bed.get}`);
    if (process.env.CI === 'true') totals.failed += 1;
  }
  return runnable;
}

try {
  prepare();
  const beds = await bedProjects();
  for (const name of ['unit', 'faults', ...beds]) runProject(name);
} catch (error) {
  console.error(`npm test: ${error.message}`);
  totals.failed += 1;
}
for (const failure of failures) console.log(`\nfailed: ${failure}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;
