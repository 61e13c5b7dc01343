/** A tab of the explorer: an operation and its variables. */
export interface Example {
  query: string;
  variables?: string;
}

const queries = import.meta.glob<string>('../examples/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const variables = import.meta.glob<string>('../examples/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** The operations to start from, in the order of their file names. */
export const examples: Example[] = Object.keys(queries)
  .sort()
  .map((path) => ({
    query: queries[path]!,
    variables: variables[path.replace(/\.graphql$/, '.json')],
  }));
