import { graphql } from '../gql';

/** Who is signed in; the frame of every page asks it. */
export const ViewerQuery = graphql(`
  query Viewer {
    viewer {
      id
      login
      role
    }
  }
`);
