// Compiled by relay-compiler against our schema; the artifacts are what relay.mjs runs.
import { graphql } from 'relay-runtime';

export const page = graphql`
  query operationsPageQuery($first: Int!) {
    ...operations_leads @arguments(first: $first)
  }
`;

export const leads = graphql`
  fragment operations_leads on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "operationsLeadsPaginationQuery") {
    leads(first: $first, after: $after) @connection(key: "operations_leads") {
      edges {
        node {
          id
          email
          jobTitle
        }
      }
    }
  }
`;

export const node = graphql`
  query operationsNodeQuery($id: ID!) {
    node(id: $id) {
      id
      ... on Lead {
        email
        jobTitle
      }
    }
  }
`;

export const signIn = graphql`
  mutation operationsSignInMutation($email: EmailAddress!, $password: String!) {
    signIn(input: { email: $email, password: $password }) {
      session {
        accessToken
        refreshToken
        user {
          name
        }
      }
    }
  }
`;

export const create = graphql`
  mutation operationsCreateMutation($input: LeadCreateInput!) {
    leadCreate(input: $input) {
      lead {
        id
      }
      userErrors {
        code
        ... on DuplicateLeadError {
          existing {
            id
          }
        }
      }
    }
  }
`;

export const update = graphql`
  mutation operationsUpdateMutation($input: LeadUpdateInput!) {
    leadUpdate(input: $input) {
      lead {
        id
        jobTitle
      }
      userErrors {
        code
      }
    }
  }
`;

export const target = graphql`
  mutation operationsTargetMutation($goal: ID!, $target: Decimal!) {
    goalUpdate(input: { goal: $goal, target: $target }) {
      goal {
        id
        target
      }
    }
  }
`;

export const live = graphql`
  subscription operationsLiveSubscription($goal: ID!) {
    goalProgress(goal: $goal) {
      target
      goal {
        id
        name
      }
    }
  }
`;
