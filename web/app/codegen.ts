import type { CodegenConfig } from '@graphql-codegen/cli';

// Types and documents of every operation in src/, held to the schema that the gateway serves.
const config: CodegenConfig = {
  schema: '../../schema/*.graphqls',
  documents: ['src/**/*.{ts,tsx}', '!src/gql/**'],
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        enumsAsTypes: true,
        scalars: { Time: 'string' },
        useTypeImports: true,
        strictScalars: true,
      },
    },
  },
};

export default config;
