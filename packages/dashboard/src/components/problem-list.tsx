import type { ApiProblem } from '../generated/api.ts';

/** What is wrong with an object, where, and what to do about it. */
export function ProblemList({ problems }: { readonly problems: readonly ApiProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <ul class="problems">
      {problems.map((problem, index) => (
        <li key={index} class={`note ${problem.severity === 'error' ? 'bad' : 'warning'}`}>
          <p>
            <code>{problem.code}</code> <strong>{problem.message}</strong>
          </p>
          {problem.path !== undefined && problem.path !== '' && <p class="mono">{problem.path}</p>}
          {problem.hint !== undefined && <p>{problem.hint}</p>}
        </li>
      ))}
    </ul>
  );
}
